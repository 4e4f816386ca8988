import BNNTensor

/// ±1 as float32 by a threshold test per channel (axis 1). The canonical form of every sign.
public struct Binarize: Operator, Hashable {
  public var thresholds: Thresholds<Float>

  public init(thresholds: Thresholds<Float>) {
    self.thresholds = thresholds
  }

  public var name: String { "Binarize" }
}
