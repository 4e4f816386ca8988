import BNNGraph
import BNNTensor

/// A cone that reads its operand only to compare it with constants: its result is constant between
/// them, so evaluating it at them and at their neighbours tells everything.
struct StepFunction {
  /// Numbers in ascending order, one per channel in each row: −∞, every constant between the floats
  /// next to it, ∞.
  let points: [[Float]]
  /// The result at the points.
  let values: [[Float]]
  /// The result at NaN, per channel.
  let atNaN: [Float]
  /// Whether the operand's own sign is taken, which is 0 at 0.
  let hasSign: Bool

  /// More constants than this are no quantizer of few levels.
  private static let rootLimit = 8

  /// nil when something else is computed from the operand.
  init?(_ cone: ElementwiseCone, in graph: Graph) throws(GraphError) {
    var bounds: [[Float]] = []
    var hasSign = false
    for index in cone.nodes where graph.nodes[index].inputs.contains(cone.source) {
      let node = graph.nodes[index]
      switch node.op {
      case .elementwiseUnary(let unary) where unary.function == .sign:
        bounds.append([0])
        hasSign = true
      case .comparison:
        let other = node.input(0) == cone.source ? node.input(1) : node.input(0)
        guard let numbers = graph.perChannel(other, like: cone.source),
          !numbers.contains(where: \.isNaN)
        else { return nil }
        bounds.append(numbers)
      case .binarize(let binarize):
        // Another number more does no harm.
        for side in [binarize.thresholds.lower, binarize.thresholds.upper] {
          bounds.append(side.map { $0.isFinite ? $0 : 0 })
        }
      default: return nil
      }
    }
    guard (1...StepFunction.rootLimit).contains(bounds.count) else { return nil }
    self.hasSign = hasSign
    let sorted = (0..<cone.channels).map { c in
      bounds.map { $0.count == 1 ? $0[0] : $0[c] }.sorted()
    }
    var points = [[Float](repeating: -.infinity, count: cone.channels)]
    for position in bounds.indices {
      let row = sorted.map { $0[position] }
      points += [row.map { $0.before }, row, row.map { $0.after }]
    }
    points.append([Float](repeating: .infinity, count: cone.channels))
    // Neighbouring constants' neighbours may stand in the wrong order.
    for c in 0..<cone.channels {
      let column = points.map { $0[c] }.sorted()
      for row in points.indices { points[row][c] = column[row] }
    }
    let nans = [Float](repeating: .nan, count: cone.channels)
    let found = try cone.evaluate(points + [nans], in: graph)
    self.points = points
    values = found.dropLast()
    atNaN = found[found.count - 1]
  }

  /// The different results in the order in which they come, the same in every channel; nil when
  /// there are more than `limit` or they differ.
  func levels(limit: Int) -> [Float]? {
    func column(_ channel: Int) -> [Float] {
      values.reduce(into: []) { levels, row in
        if levels.last != row[channel] { levels.append(row[channel]) }
      }
    }
    let first = column(0)
    guard (2...limit).contains(first.count), first.allSatisfy(\.isFinite),
      (1..<max(1, atNaN.count)).allSatisfy({ column($0) == first })
    else { return nil }
    return first
  }

  /// Where the result is one of some numbers; nil when that is no interval in some channel, or NaN
  /// would have to lie inside.
  func thresholds(where isPlus: (Float) -> Bool) -> Thresholds<Float>? {
    var builder = Thresholds<Float>.builder(atNaN.count)
    for c in atNaN.indices {
      // The interval holds what NaN is not.
      let nanIsPlus = isPlus(atNaN[c])
      let inside = points.indices.filter { isPlus(values[$0][c]) != nanIsPlus }
      guard let first = inside.first, let last = inside.last else {
        builder.append(nanIsPlus ? .always : .never)
        continue
      }
      guard inside.count == last - first + 1 else { return nil }
      let (lower, upper) = (points[first][c], points[last][c])
      builder.append(nanIsPlus ? .outside(lower, upper) : .inside(lower, upper))
    }
    return builder.thresholds.collapsed
  }
}

extension Float {
  /// The neighbours in the order in which 0 and −0 are one number.
  fileprivate var before: Float { isInfinite ? self : Float(rank: rank - 1) }
  fileprivate var after: Float { isInfinite ? self : Float(rank: rank + 1) }
}
