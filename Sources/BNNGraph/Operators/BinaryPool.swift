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

extension BinaryPool {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.operand(0, of: .float32)
    let extents = try window.checkedOutput(of: x.shape, ceiling: ceiling)
    try window.checkPool(of: x.shape)
    guard ChannelLayout(x.shape).fits(inverted.count) else {
      throw .invalidAttribute(
        name: "inverted", value: "\(inverted.count) channels", expected: "1 or \(x.shape[1])")
    }
    return [try ResultType(.float32, checking: x.shape.dimensions[..<2] + extents)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    let walk = WindowWalk(
      window, input: Array(x.shape.dimensions[2...]), output: Array(type.shape.dimensions[2...]))
    let elements = x.floats
    var result = walk.pool(elements) { taps, _ in
      taps.contains { elements[$0] > 0 } ? 1 : -1
    }
    let minimum = walk.pool(elements) { taps, _ in
      taps.contains { elements[$0] < 0 } ? -1 : 1
    }
    ChannelLayout(type.shape).forEachRun { channel, run in
      guard inverted[inverted.count == 1 ? 0 : channel] else { return }
      for index in run { result[index] = minimum[index] }
    }
    return [Tensor(result, shape: type.shape)]
  }
}
