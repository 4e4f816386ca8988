import BNNTensor

/// Pools ±1: the maximum, or the minimum in channels where `inverted` (one entry per channel or
/// one for all). Padding does not count.
public struct BinaryPool: Operator, Hashable {
  public var window: WindowGeometry
  public var ceiling: Bool
  public var inverted: [Bool]

  public init(window: WindowGeometry, ceiling: Bool = false, inverted: [Bool]) {
    self.window = window
    self.ceiling = ceiling
    self.inverted = inverted
  }

  public var name: String { "BinaryPool" }
}
