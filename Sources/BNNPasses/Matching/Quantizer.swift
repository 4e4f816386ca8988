import BNNGraph
import BNNTensor

/// A cone that rounds every number to one of a few levels, the same in all channels.
///
/// Levels and the numbers at which the result goes from one to the next are found by evaluating
/// the source's own arithmetic; they may differ from where the formula would have them.
struct Quantizer {
  let cone: ElementwiseCone
  /// Ascending; two to four.
  let levels: [Float]
  /// Whether the level rises with the operand.
  let isRising: Bool
  /// For each step from one level to the next, and each channel: the smallest number beyond it.
  private let bounds: [[Float]]

  static let levelLimit = 4

  /// The shallowest such cone that ends in a value; nil when there is none.
  init?(endingIn result: ValueID, of graph: Graph, _ uses: Uses) throws(GraphError) {
    for cone in ElementwiseCone.all(endingIn: result, of: graph, uses, sharing: true)
    where cone.nodes.contains(where: { graph.nodes[$0].hasSteps }) {
      let found =
        cone.isMonotoneChain(in: graph)
        ? try Quantizer(cone, in: graph) : try Quantizer(steps: cone, in: graph)
      if let found {
        self = found
        return
      }
    }
    return nil
  }

  /// A cone that compares its operand with constants.
  private init?(steps cone: ElementwiseCone, in graph: Graph) throws(GraphError) {
    guard let steps = try StepFunction(cone, in: graph), !steps.hasSign,
      let found = steps.levels(limit: Quantizer.levelLimit),
      let first = found.first, let last = found.last
    else { return nil }
    self.cone = cone
    isRising = last > first
    let levels = isRising ? found : found.reversed()
    self.levels = levels
    guard zip(levels, levels.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
    // Rows come in the order of the operand.
    let bounds = found.dropFirst().map { level in
      (0..<cone.channels).map { c in
        zip(steps.points, steps.values).first { $0.1[c] == level }?.0[c] ?? .infinity
      }
    }
    self.bounds = isRising ? Array(bounds) : bounds.reversed()
  }

  private init?(_ cone: ElementwiseCone, in graph: Graph) throws(GraphError) {
    self.cone = cone
    func row(_ numbers: [Float]) throws(GraphError) -> [Float] {
      try cone.evaluate([numbers], in: graph)[0]
    }
    func all(_ number: Float) throws(GraphError) -> [Float] {
      try row([Float](repeating: number, count: cone.channels))
    }
    let largest = Float.greatestFiniteMagnitude
    let low = try all(-largest)
    let high = try all(largest)
    guard cone.channels > 0, let first = low.first, let last = high.first, first != last,
      first.isFinite, last.isFinite, low.allSatisfy({ $0 == first }),
      high.allSatisfy({ $0 == last }), try all(-.infinity) == low, try all(.infinity) == high
    else { return nil }
    isRising = last > first
    // The levels in the order in which they come, from the first channel.
    var found = [first]
    var at = (-largest).rank
    while let level = found.last, level != last {
      guard found.count < Quantizer.levelLimit else { return nil }
      var end = largest.rank
      while end - at > 1 {
        let middle = (at + end) >> 1
        if try all(Float(rank: middle))[0] == level { at = middle } else { end = middle }
      }
      found.append(try all(Float(rank: end))[0])
      at = end
    }
    // Where each channel passes the middle between two levels.
    var bounds: [[Float]] = []
    for (level, next) in zip(found, found.dropFirst()) {
      let middle = level / 2 + next / 2
      var low = [Int](repeating: (-largest).rank, count: cone.channels)
      var high = [Int](repeating: largest.rank, count: cone.channels)
      while zip(low, high).contains(where: { $1 - $0 > 1 }) {
        let probes = zip(low, high).map { ($0 + $1) >> 1 }
        let values = try row(probes.map { Float(rank: $0) })
        for (c, value) in values.enumerated() {
          if (value > middle) == (next > level) { high[c] = probes[c] } else { low[c] = probes[c] }
        }
      }
      let here = try row(high.map { Float(rank: $0) })
      let before = try row(low.map { Float(rank: $0) })
      guard (here + before).allSatisfy(found.contains) else { return nil }
      bounds.append(high.map { Float(rank: $0) })
    }
    levels = isRising ? found : found.reversed()
    self.bounds = isRising ? bounds : bounds.reversed()
  }

  /// +1 where the result is at least a level, which is not the lowest.
  func thresholds(ofLevel level: Int) -> Thresholds<Float> {
    var builder = Thresholds.builder(cone.channels)
    for bound in bounds[level - 1] {
      builder.append(
        isRising ? .inside(bound, .infinity) : .inside(-.infinity, Float(rank: bound.rank - 1)))
    }
    return builder.thresholds.collapsed
  }

  /// +1 where the result is the lowest or the highest of four levels.
  private var outerThresholds: Thresholds<Float> {
    var builder = Thresholds.builder(cone.channels)
    for (a, b) in zip(bounds[0], bounds[2]) {
      builder.append(.outside(min(a, b), Float(rank: max(a, b).rank - 1)))
    }
    return builder.thresholds.collapsed
  }

  /// Whether the four levels are equally far apart.
  private var isUniform: Bool {
    let step = (levels[levels.count - 1] - levels[0]) / Float(levels.count - 1)
    return zip(levels, levels.dropFirst()).allSatisfy { abs($1 - $0 - step) <= 1e-5 * step }
  }

  /// The result as signs of the cone's operand, for which nodes are added.
  ///
  /// Four levels at equal distances d are d·h + d/2·l + c: h is the sign of the upper half, and
  /// l is h times the sign of the outer two levels (two bits of a number, as in FracBNN).
  /// Any other levels are Σ half the distance to the next · the sign of being beyond it.
  func combination(name: String, in graph: inout Graph) -> SignCombination {
    func sign(_ thresholds: Thresholds<Float>, _ label: String) -> ValueID {
      let value = graph.add(
        .binarize(Binarize(thresholds: thresholds)), name: "\(name).\(label)",
        inputs: [cone.source])
      graph[value].type = graph[cone.result].type
      return value
    }
    let terms: [SignCombination.Term]
    if levels.count == 4 && isUniform {
      let step = (levels[3] - levels[0]) / 3
      let high = sign(thresholds(ofLevel: 2), "high")
      let low = graph.add(
        .elementwiseBinary(ElementwiseBinary(kind: .multiply)), name: "\(name).low",
        inputs: [high, sign(outerThresholds, "outer")])
      graph[low].type = graph[cone.result].type
      terms = [.init(signs: high, scale: step), .init(signs: low, scale: step / 2)]
    } else {
      terms = (1..<levels.count).map { level in
        .init(
          signs: sign(thresholds(ofLevel: level), "level \(level)"),
          scale: (levels[level] - levels[level - 1]) / 2)
      }
    }
    let span = levels[levels.count - 1] - levels[0]
    let offset = (levels[0] + levels[levels.count - 1]) / 2
    return SignCombination(terms: terms, offset: abs(offset) <= 1e-6 * span ? 0 : offset)
  }
}

extension Node {
  /// Whether the operator's result jumps.
  fileprivate var hasSteps: Bool {
    switch op {
    case .comparison, .binarize: return true
    case .cast(let cast): return cast.to == .bool || cast.to.isInteger
    case .elementwiseUnary(let unary):
      switch unary.function {
      case .floor, .ceiling, .roundHalfToEven, .sign: return true
      default: return false
      }
    default: return false
    }
  }
}
