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
    if thresholds.isMonotone && cone.isMonotoneChain(in: graph) {
      return try bisectIntegers(bound: bound)
    }
    return try enumerateIntegers(bound: bound)
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
  func onFloats() throws(GraphError) -> Thresholds<Float>? {
    guard thresholds.isMonotone && cone.isMonotoneChain(in: graph) else { return nil }
    let channels = cone.channels
    let largest = Float.greatestFiniteMagnitude
    let probes: [Float] = [-.infinity, -largest, largest, .infinity, .nan]
    let ends = try bits(probes.map { .init(repeating: $0, count: channels) })
    var low = [Int](repeating: (-largest).rank, count: channels)
    var high = [Int](repeating: largest.rank, count: channels)
    while (0..<channels).contains(where: { ends[1][$0] != ends[2][$0] && high[$0] - low[$0] > 1 }) {
      let middle = (0..<channels).map { (low[$0] + high[$0]) >> 1 }
      let now = try bits([middle.map { Float(rank: $0) }])[0]
      for c in 0..<channels {
        if now[c] == ends[1][c] { low[c] = middle[c] } else { high[c] = middle[c] }
      }
    }
    var result = Thresholds<Float>.builder(channels)
    for c in 0..<channels {
      let isRising = !ends[1][c] && ends[2][c]
      let isFalling = ends[1][c] && !ends[2][c]
      // The set of x with one bit, as an interval that ends at or before an infinity.
      func set(of bit: Bool) -> (Float, Float)? {
        let holdsLow = ends[1][c] == bit
        let holdsHigh = ends[2][c] == bit
        if !holdsLow && !holdsHigh {
          return ends[0][c] == bit || ends[3][c] == bit ? nil : (.infinity, -.infinity)
        }
        let lower = holdsLow ? (ends[0][c] == bit ? -.infinity : -largest) : Float(rank: high[c])
        let upper = holdsHigh ? (ends[3][c] == bit ? .infinity : largest) : Float(rank: low[c])
        // An infinity on the far side must not have the bit.
        if !holdsLow && ends[0][c] == bit || !holdsHigh && ends[3][c] == bit { return nil }
        return (lower, upper)
      }
      assert(isRising || isFalling || ends[1][c] == ends[2][c])
      guard let (lower, upper) = set(of: !ends[4][c]) else { return nil }
      result.append(ends[4][c] ? .outside(lower, upper) : .inside(lower, upper))
    }
    return result.thresholds
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
