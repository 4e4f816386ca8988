/// Per channel, the interval of a real or integer number that decides a bit.
///
/// The bit of channel c is +1 when `lower[c] <= x <= upper[c]` equals `insideIsPlus[c]`. A
/// half-line is an interval with an infinite (or extreme) end; a constant bit is an empty interval
/// (lower > upper). NaN lies in no interval, so `insideIsPlus` also says what NaN becomes.
/// The lists have one entry per channel, or one entry for all channels.
public struct Thresholds<Bound: Comparable & Hashable & Sendable>: Hashable, Sendable {
  public var lower: [Bound]
  public var upper: [Bound]
  public var insideIsPlus: [Bool]

  public init(lower: [Bound], upper: [Bound], insideIsPlus: [Bool]) {
    precondition(lower.count == upper.count && lower.count == insideIsPlus.count)
    self.lower = lower
    self.upper = upper
    self.insideIsPlus = insideIsPlus
  }

  /// 1, or the number of channels.
  public var count: Int { lower.count }

  /// Whether `x` in a channel becomes +1.
  public func isPlus(_ x: Bound, channel: Int) -> Bool {
    let c = count == 1 ? 0 : channel
    return (x >= lower[c] && x <= upper[c]) == insideIsPlus[c]
  }
}

extension Thresholds<Float> {
  /// +1 where x ≥ 0, −1 elsewhere and for NaN.
  public static var zeroIsPlus: Thresholds {
    Thresholds(lower: [0], upper: [.infinity], insideIsPlus: [true])
  }
  /// +1 where x > 0, −1 elsewhere and for NaN.
  public static var zeroIsMinus: Thresholds {
    Thresholds(lower: [.leastNonzeroMagnitude], upper: [.infinity], insideIsPlus: [true])
  }
}
