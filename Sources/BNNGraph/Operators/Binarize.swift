import BNNTensor

/// ±1 as float32 by a threshold test per channel (axis 1). The canonical form of every sign.
public struct Binarize: Operator, Hashable {
  public var thresholds: Thresholds<Float>
  /// The source gives 0 where the operand, before anything was folded into the thresholds, is 0;
  /// the bit there was chosen.
  public var zeroIsChosen: Bool

  public init(thresholds: Thresholds<Float>, zeroIsChosen: Bool = false) {
    self.thresholds = thresholds
    self.zeroIsChosen = zeroIsChosen
  }

  public var name: String { "Binarize" }
}

extension Binarize {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.operand(0, of: .float32)
    try thresholds.check(fit: ChannelLayout(x.shape))
    return [ResultType(.float32, x.shape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let x = try inputs.required(0)
    return [Tensor(thresholds.signs(of: x.floats, shape: x.shape), shape: x.shape)]
  }
}

extension Thresholds {
  /// One entry for all channels or one for each.
  func check(fit layout: ChannelLayout) throws(OperatorError) {
    guard lower.count == upper.count, lower.count == insideIsPlus.count, layout.fits(count) else {
      throw .invalidAttribute(
        name: "thresholds", value: "\(lower.count) channels", expected: "1 or \(layout.channels)")
    }
  }

  /// +1 or −1 for every element, by its channel's test.
  func signs(of elements: [Bound], shape: Shape) -> [Float] {
    [Float](unsafeUninitializedCapacity: elements.count) { result, initialized in
      ChannelLayout(shape).forEachRun { channel, run in
        for index in run {
          result.initializeElement(
            at: index, to: isPlus(elements[index], channel: channel) ? 1 : -1)
        }
      }
      initialized = elements.count
    }
  }
}
