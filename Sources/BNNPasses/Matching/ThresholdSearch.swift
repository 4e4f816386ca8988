import BNNGraph
import BNNTensor

/// Finds the thresholds on a cone's source that decide the bits of its result.
///
/// The source's own float32 expression is evaluated; nothing is solved in closed form. With
/// a rounding of its own in every step a closed form is off by one in some channels; evaluation
/// cannot be. A monotone chain is bisected; any other is evaluated at every reachable integer.
struct ThresholdSearch {
  let cone: ElementwiseCone
  let thresholds: Thresholds<Float>
  let graph: Graph

  /// The bits at one number per channel, for several rows.
  private func bits(_ rows: [[Float]]) throws(GraphError) -> [[Bool]] {
    try cone.evaluate(rows, in: graph).map { row in
      row.indices.map { thresholds.isPlus(row[$0], channel: $0) }
    }
  }

  // MARK: Integers

  /// Thresholds for a source that holds only integers of magnitude up to `bound`; nil when the
  /// bits of a channel are no interval.
  func onIntegers(bound: Int) throws(GraphError) -> Thresholds<Float>? {
    if thresholds.isMonotone && cone.isMonotoneChain(in: graph), try isDefined(upTo: bound) {
      return try bisectIntegers(bound: bound)
    }
    return try enumerateIntegers(bound: bound)
  }

  /// Whether a monotone chain gives no NaN between −bound and bound.
  private func isDefined(upTo bound: Int) throws(GraphError) -> Bool {
    for end in [-bound, bound] {
      let row = [Float](repeating: Float(end), count: cone.channels)
      guard try cone.isDefined(at: row, in: graph).allSatisfy({ $0 }) else { return false }
    }
    return true
  }

  private func bisectIntegers(bound: Int) throws(GraphError) -> Thresholds<Float> {
    let channels = cone.channels
    func constantRow(_ number: Int) -> [Float] { .init(repeating: Float(number), count: channels) }
    let ends = try bits([constantRow(-bound), constantRow(bound)])
    // The bit at `low` is that of the low end, the bit at `high` that of the high end.
    var low = [Int](repeating: -bound, count: channels)
    var high = [Int](repeating: bound, count: channels)
    while (0..<channels).contains(where: { ends[0][$0] != ends[1][$0] && high[$0] - low[$0] > 1 }) {
      let middle = (0..<channels).map { (low[$0] + high[$0]) >> 1 }
      let now = try bits([middle.map { Float($0) }])[0]
      for c in 0..<channels {
        if now[c] == ends[0][c] { low[c] = middle[c] } else { high[c] = middle[c] }
      }
    }
    var result = Thresholds<Float>.builder(channels)
    for c in 0..<channels {
      switch (ends[0][c], ends[1][c]) {
      case (false, false): result.append(.never)
      case (true, true): result.append(.always)
      case (false, true): result.append(.inside(Float(high[c]), .infinity))
      case (true, false): result.append(.inside(-.infinity, Float(low[c])))
      }
    }
    return result.thresholds
  }

  private func enumerateIntegers(bound: Int) throws(GraphError) -> Thresholds<Float>? {
    let channels = cone.channels
    // Where the bit of a channel changes, from −bound upward.
    var changes = [[Int]](repeating: [], count: channels)
    var first = [Bool](repeating: false, count: channels)
    var previous: [Bool] = []
    for start in stride(from: -bound, through: bound, by: 64) {
      let numbers = Array(start...min(start + 63, bound))
      let rows = try bits(numbers.map { .init(repeating: Float($0), count: channels) })
      for (number, row) in zip(numbers, rows) {
        if previous.isEmpty {
          first = row
        } else {
          for c in 0..<channels where row[c] != previous[c] {
            changes[c].append(number)
            if changes[c].count > 2 { return nil }
          }
        }
        previous = row
      }
    }
    var result = Thresholds<Float>.builder(channels)
    for c in 0..<channels {
      switch (first[c], changes[c].count) {
      case (false, 0): result.append(.never)
      case (true, 0): result.append(.always)
      case (false, 1): result.append(.inside(Float(changes[c][0]), .infinity))
      case (true, 1): result.append(.inside(-.infinity, Float(changes[c][0] - 1)))
      case (false, _): result.append(.inside(Float(changes[c][0]), Float(changes[c][1] - 1)))
      case (true, _): result.append(.outside(Float(changes[c][0]), Float(changes[c][1] - 1)))
      }
    }
    return result.thresholds
  }

  // MARK: Real numbers

  /// Thresholds for a source that may hold any float32, infinities and NaN included; nil when
  /// the cone is no monotone chain or its behaviour at infinity and NaN fits no interval.
  ///
  /// A chain is monotone as long as it gives no NaN, as an overflow times 0 does: beyond that the
  /// bit is NaN's.
  func onFloats() throws(GraphError) -> Thresholds<Float>? {
    guard thresholds.isMonotone && cone.isMonotoneChain(in: graph),
      var low = try definedEnd(-.greatestFiniteMagnitude),
      var high = try definedEnd(.greatestFiniteMagnitude)
    else { return nil }
    let channels = cone.channels
    let largest = Float.greatestFiniteMagnitude
    let probes: [Float] = [-.infinity, -largest, largest, .infinity, .nan]
    let outside = try bits(probes.map { .init(repeating: $0, count: channels) })
    let ends = try bits([low.map { Float(rank: $0) }, high.map { Float(rank: $0) }])
    let (first, last) = (low, high)
    while (0..<channels).contains(where: { ends[0][$0] != ends[1][$0] && high[$0] - low[$0] > 1 }) {
      let middle = (0..<channels).map { (low[$0] + high[$0]) >> 1 }
      let now = try bits([middle.map { Float(rank: $0) }])[0]
      for c in 0..<channels {
        if now[c] == ends[0][c] { low[c] = middle[c] } else { high[c] = middle[c] }
      }
    }
    var result = Thresholds<Float>.builder(channels)
    for c in 0..<channels {
      let isNarrow = (low: first[c] > (-largest).rank, high: last[c] < largest.rank)
      // What is beyond a last defined number is one bit.
      guard !isNarrow.low || outside[0][c] == outside[1][c],
        !isNarrow.high || outside[2][c] == outside[3][c]
      else { return nil }
      let side = Sides(
        bit: !outside[4][c], ends: (ends[0][c], ends[1][c]), outside: (outside[0][c], outside[3][c])
      )
      guard
        let (lower, upper) = side.interval(
          first: Float(rank: first[c]), low: Float(rank: low[c]), high: Float(rank: high[c]),
          last: Float(rank: last[c]))
      else { return nil }
      result.append(outside[4][c] ? .outside(lower, upper) : .inside(lower, upper))
    }
    return result.thresholds
  }

  /// For each channel, the rank of the number nearest to `end` at which no step of the chain gives
  /// NaN; nil if 0 is none.
  private func definedEnd(_ end: Float) throws(GraphError) -> [Int]? {
    let channels = cone.channels
    let atEnd = try cone.isDefined(at: .init(repeating: end, count: channels), in: graph)
    var outer = [Int](repeating: end.rank, count: channels)
    guard atEnd.contains(false) else { return outer }
    guard
      try cone.isDefined(at: .init(repeating: 0, count: channels), in: graph)
        .allSatisfy({ $0 })
    else { return nil }
    var inner = atEnd.map { $0 ? end.rank : 0 }
    while (0..<channels).contains(where: { abs(outer[$0] - inner[$0]) > 1 }) {
      let middle = (0..<channels).map { (inner[$0] + outer[$0]) / 2 }
      let now = try cone.isDefined(at: middle.map { Float(rank: $0) }, in: graph)
      for c in 0..<channels {
        if now[c] { inner[c] = middle[c] } else { outer[c] = middle[c] }
      }
    }
    return inner
  }
}

/// The bits of one channel at the ends of where a monotone chain is defined, and beyond them.
private struct Sides {
  /// The bit whose numbers are looked for: not that of NaN.
  let bit: Bool
  let ends: (low: Bool, high: Bool)
  let outside: (low: Bool, high: Bool)

  /// The numbers with the bit; nil when they are no interval that ends at or before an infinity.
  ///
  /// - Parameters: the numbers at the ends, and between them those next to the change.
  func interval(first: Float, low: Float, high: Float, last: Float) -> (Float, Float)? {
    let holds = (low: ends.low == bit, high: ends.high == bit)
    // Beyond an end at which the bit does not hold it must not either.
    guard holds.low || outside.low != bit, holds.high || outside.high != bit else { return nil }
    guard holds.low || holds.high else { return (.infinity, -.infinity) }
    let lower = holds.low ? (outside.low == bit ? -.infinity : first) : high
    let upper = holds.high ? (outside.high == bit ? .infinity : last) : low
    return (lower, upper)
  }
}

extension Float {
  /// The position of a number that is not NaN in the order of all floats; 0 and −0 share 0.
  var rank: Int {
    let magnitude = Int(bitPattern & 0x7FFF_FFFF)
    return sign == .minus ? -magnitude : magnitude
  }

  init(rank: Int) {
    let magnitude = Float(bitPattern: UInt32(abs(rank)))
    self = rank < 0 ? -magnitude : magnitude
  }
}

extension Thresholds<Float> {
  /// One channel's rule.
  enum Rule {
    case always, never
    case inside(Float, Float)
    case outside(Float, Float)
  }

  struct Builder {
    var thresholds: Thresholds<Float>

    mutating func append(_ rule: Rule) {
      let (lower, upper, inside): (Float, Float, Bool) =
        switch rule {
        case .always: (-.infinity, .infinity, true)
        case .never: (.infinity, -.infinity, true)
        case .inside(let lower, let upper): (lower, upper, true)
        case .outside(let lower, let upper): (lower, upper, false)
        }
      thresholds.lower.append(lower)
      thresholds.upper.append(upper)
      thresholds.insideIsPlus.append(inside)
    }
  }

  static func builder(_ channels: Int) -> Builder {
    var thresholds = Thresholds<Float>(lower: [], upper: [], insideIsPlus: [])
    thresholds.lower.reserveCapacity(channels)
    return Builder(thresholds: thresholds)
  }

  /// The same rules in the integers' terms, for a source that holds only integers.
  var onIntegers: Thresholds<Int32> {
    func bound(_ x: Float, _ rule: FloatingPointRoundingRule) -> Int32 {
      x <= -2_147_483_648 ? .min : x >= 2_147_483_648 ? .max : Int32(x.rounded(rule))
    }
    return Thresholds<Int32>(
      lower: lower.map { bound($0, .up) }, upper: upper.map { bound($0, .down) },
      insideIsPlus: insideIsPlus)
  }

  /// One rule when all channels have the same.
  var collapsed: Thresholds {
    guard count > 1,
      (1..<count).allSatisfy({
        lower[$0] == lower[0] && upper[$0] == upper[0] && insideIsPlus[$0] == insideIsPlus[0]
      })
    else { return self }
    return Thresholds(
      lower: [lower[0]], upper: [upper[0]], insideIsPlus: [insideIsPlus[0]])
  }
}
