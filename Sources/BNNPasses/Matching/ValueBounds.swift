import BNNGraph
import BNNTensor

/// Which numbers the elements of each value can be, as far as its operators tell: never outside of an
/// interval, unless they are NaN; and whether they rest at 0.
///
/// A value rests at 0 if it is 0 not only where something happens to meet a number: as a ReLU is, a
/// rounding, or what was padded with 0.
///
/// Results round monotonically, so the ends of an interval are computed as the elements are. Sums of
/// many elements, whose order is open, are only known not to cross 0.
struct ValueBounds {
  struct Interval: Equatable {
    var lower: Float
    var upper: Float

    static let all = Interval(lower: -.infinity, upper: .infinity)
    static let neverNegative = Interval(lower: 0, upper: .infinity)
    static let unit = Interval(lower: 0, upper: 1)
    static let zero = Interval(lower: 0, upper: 0)

    var isNeverNegative: Bool { lower >= 0 }
    var isNeverPositive: Bool { upper <= 0 }
  }

  let graph: Graph
  let uses: Uses
  /// Of the values that nodes compute.
  private var found: [ValueID: Interval] = [:]
  /// Those that operators let rest at 0.
  private(set) var resting: Set<ValueID> = []

  init(_ graph: Graph, _ uses: Uses) {
    self.graph = graph
    self.uses = uses
    for node in graph.nodes {
      // Further outputs are other things, but for the pieces of a `Split`.
      var outputs = node.outputs.prefix(1)
      if case .split = node.op { outputs = node.outputs[...] }
      let interval = interval(of: node, nil)
      if interval != .all { for output in outputs { found[output] = interval } }
      if mayRestAtZero(node) { resting.formUnion(outputs) }
    }
  }

  subscript(value: ValueID) -> Interval {
    if let interval = found[value] { return interval }
    guard let tensor = graph.constant(value), tensor.count <= ValueBounds.constantLimit else {
      return .all
    }
    return Interval(enclosing: tensor)
  }

  /// Larger constants are weights, which no element-by-element operator reads.
  static let constantLimit = 1 << 16

  private func interval(of node: Node, _ given: Given?) -> Interval {
    func operand(_ index: Int) -> Interval { interval(of: node.input(index), given) }
    switch node.op {
    case .elementwiseUnary(let unary): return operand(0).image(of: unary.function)
    case .elementwiseBinary(let binary):
      if let masked = masked(node, binary.kind, given) { return masked }
      if let a = node.input(0), a == node.input(1), binary.kind == .multiply {
        return .neverNegative
      }
      let (first, second) = (operand(0), operand(1))
      // Channels that are multiplied by 0 are no activations.
      if binary.kind == .multiply, first == .zero || second == .zero { return .all }
      return first.combined(with: second, binary.kind)
    case .clip:
      var interval = operand(0)
      if node.input(1) != nil { interval = interval.combined(with: operand(1), .maximum) }
      if node.input(2) != nil { interval = interval.combined(with: operand(2), .minimum) }
      return interval
    case .pRelu:
      let (x, slope) = (operand(0), operand(1))
      let negative = Interval(lower: min(x.lower, 0), upper: min(x.upper, 0))
      let image = negative.combined(with: slope, .multiply)
      if x.isNeverNegative { return x }
      return x.upper < 0
        ? image : image.union(Interval(lower: max(x.lower, 0), upper: x.upper))
    case .select: return chosen(node, given)
    case .comparison, .logical: return .unit
    case .softmax(let softmax):
      return softmax.logarithm ? Interval(lower: -.infinity, upper: 0) : .unit
    case .binarize: return Interval(lower: -1, upper: 1)
    case .concat:
      return node.inputs.indices.dropFirst().reduce(operand(0)) { $0.union(operand($1)) }
    case .pad(let pad):
      guard pad.mode == .constant else { return operand(0) }
      return operand(0).union(node.input(2) == nil ? .zero : operand(2))
    case .pool(let pool):
      return pool.kind == .maximum ? operand(0) : operand(0).sameSide
    case .reduce(let reduce): return operand(0).image(of: reduce.kind)
    case .resize(let resize):
      switch resize.mode {
      case .nearest, .linear:
        return resize.coordinates == .tensorFlowCrop ? .all : operand(0).sameSide
      case .cubic: return .all
      }
    case .cumulativeSum: return operand(0).sameSide
    case .cast:
      guard let input = node.input(0), graph[input].type?.elementType == .bool else { return .all }
      return .unit
    case .reshape, .flatten, .transpose, .squeeze, .unsqueeze, .expand, .tile, .identity, .split,
      .slice, .gather, .gatherElements, .gatherND, .topK:
      return operand(0)
    default: return .all
    }
  }

  // MARK: Choices by a comparison

  /// What is known of a value at some of its elements.
  private struct Given {
    var value: ValueID
    var interval: Interval
    /// How many operators further back it is looked for.
    var depth = 4
  }

  private func interval(of value: ValueID?, _ given: Given?) -> Interval {
    guard let value else { return .all }
    guard var given, given.depth > 0 else { return self[value] }
    if value == given.value { return self[value].intersection(given.interval) }
    guard let index = uses.producer(of: value), graph.nodes[index].isElementwise else {
      return self[value]
    }
    given.depth -= 1
    return interval(of: graph.nodes[index], given)
  }

  /// A `Where`: in each branch, what its condition compares with a constant lies on its side.
  private func chosen(_ node: Node, _ given: Given?) -> Interval {
    let sides = [true, false].map { outcome in
      node.input(0).flatMap { side(of: $0, is: outcome) } ?? given
    }
    return interval(of: node.input(1), sides[0]).union(interval(of: node.input(2), sides[1]))
  }

  /// A product with a mask: the other operand where the mask is 1, else 0.
  private func masked(_ node: Node, _ kind: BinaryFunction, _ given: Given?) -> Interval? {
    guard kind == .multiply else { return nil }
    for (mask, other) in [(0, 1), (1, 0)] {
      guard let mask = node.input(mask), let index = uses.producer(of: mask),
        case .cast = graph.nodes[index].op, let condition = graph.nodes[index].input(0),
        let side = side(of: condition, is: true)
      else { continue }
      return interval(of: node.input(other), side).union(.zero)
    }
    return nil
  }

  /// What a comparison with a constant, or its negation, says about the other operand.
  private func side(of condition: ValueID, is outcome: Bool) -> Given? {
    guard let index = uses.producer(of: condition) else { return nil }
    let node = graph.nodes[index]
    switch node.op {
    case .logical(let logical) where logical.kind == .not:
      return node.input(0).flatMap { side(of: $0, is: !outcome) }
    case .comparison(let comparison):
      guard let a = node.input(0), let b = node.input(1) else { return nil }
      let isSwapped = graph.constant(a) != nil
      let (value, bound) = isSwapped ? (b, self[a]) : (a, self[b])
      guard (graph.constant(a) == nil) != (graph.constant(b) == nil) else { return nil }
      let isUpward: Bool
      switch comparison.kind {
      case .equal: return nil
      case .greater, .greaterOrEqual: isUpward = outcome != isSwapped
      case .less, .lessOrEqual: isUpward = outcome == isSwapped
      }
      return Given(
        value: value,
        interval: isUpward
          ? Interval(lower: bound.lower, upper: .infinity)
          : Interval(lower: -.infinity, upper: bound.upper))
    default: return nil
    }
  }
}
