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

  private let graph: Graph
  private let uses: Uses
  /// Of the values that nodes compute.
  private var found: [ValueID: Interval] = [:]
  private var resting: Set<ValueID> = []

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

  /// Operators alone tell too much: `p · Relu(x) − n · Relu(−x)` has parts that rest at 0, and does not
  /// itself. So what is computed from one other value is evaluated at some numbers.
  func restsAtZero(_ value: ValueID) throws(GraphError) -> Bool {
    guard mayRestAtZero(value) else { return false }
    let cones = ElementwiseCone.all(endingIn: value, of: graph, uses, sharing: true)
    for cone in cones {
      let rows = ValueBounds.samples.map { [Float](repeating: $0, count: cone.channels) }
      if try cone.evaluate(rows, in: graph).contains(where: { $0.contains(0) }) { return true }
    }
    return cones.last.map { mayRestAtZero($0.source) } ?? true
  }

  /// Of both signs and several magnitudes, and not where a function of simple constants is 0 by chance.
  private static let samples: [Float] = [
    0.0134762, 0.1139845, 0.3724571, 0.8327649, 1.713927, 4.291836, 23.71854, 311.9273,
  ]
  .flatMap { [$0, -$0] }

  private func mayRestAtZero(_ value: ValueID) -> Bool {
    resting.contains(value) || isZero(value)
  }

  subscript(value: ValueID) -> Interval {
    if let interval = found[value] { return interval }
    guard let tensor = graph.constant(value), tensor.count <= ValueBounds.constantLimit else {
      return .all
    }
    return Interval(enclosing: tensor)
  }

  /// Larger constants are weights, which no element-by-element operator reads.
  private static let constantLimit = 1 << 16

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

  // MARK: Values at 0

  private func mayRestAtZero(_ node: Node) -> Bool {
    func operand(_ index: Int) -> Bool { node.input(index).map(mayRestAtZero) ?? false }
    switch node.op {
    case .elementwiseUnary(let unary):
      return unary.function.staysAtZero || unary.function.isZeroAtZero && operand(0)
    case .elementwiseBinary(let binary):
      switch binary.kind {
      case .add:
        if let choices = choicesOfMask(node) { return choices.contains(where: mayRestAtZero) }
        return operand(0) && operand(1)
      case .subtract: return operand(0) && operand(1)
      case .maximum, .minimum: return operand(0) || operand(1)
      // A constant of 0 is no activation: such channels are constant.
      case .multiply: return node.inputs.contains { $0.map(resting.contains) ?? false }
      case .divide, .power, .remainder: return operand(0)
      }
    case .clip: return operand(0) || operand(1) || operand(2)
    case .pRelu: return operand(0) || operand(1)
    case .select: return operand(1) || operand(2)
    case .cast:
      return operand(0) || node.input(0).flatMap { graph[$0].type?.elementType } == .bool
    case .pad(let pad):
      guard pad.mode == .constant else { return operand(0) }
      return operand(0) || node.input(2) == nil || operand(2)
    case .concat: return node.inputs.indices.contains(where: operand)
    case .pool, .reduce, .resize, .cumulativeSum, .reshape, .flatten, .transpose, .squeeze,
      .unsqueeze, .expand, .tile, .identity, .split, .slice, .gather, .gatherElements, .gatherND,
      .topK:
      return operand(0)
    default: return false
    }
  }

  /// a and b of `m · a + (1 − m) · b`.
  private func choicesOfMask(_ sum: Node) -> [ValueID]? {
    func inputs(_ value: ValueID?, of kind: BinaryFunction) -> [ValueID]? {
      guard let index = value.flatMap(uses.producer(of:)),
        case .elementwiseBinary(let binary) = graph.nodes[index].op, binary.kind == kind
      else { return nil }
      return graph.nodes[index].inputs.compactMap { $0 }
    }
    guard let first = inputs(sum.input(0), of: .multiply),
      let second = inputs(sum.input(1), of: .multiply)
    else { return nil }
    for (a, mask) in [(first[0], first[1]), (first[1], first[0])] {
      for (b, other) in [(second[0], second[1]), (second[1], second[0])] {
        for (mask, rest) in [(mask, other), (other, mask)] {
          guard let difference = inputs(rest, of: .subtract), difference[1] == mask,
            graph.scalar(difference[0]) == 1
          else { continue }
          return [a, b]
        }
      }
    }
    return nil
  }

  private func isZero(_ value: ValueID) -> Bool {
    guard let tensor = graph.constant(value), tensor.count <= ValueBounds.constantLimit,
      tensor.elementType.isFloatingPoint
    else { return false }
    return tensor.floats.allSatisfy { $0 == 0 }
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

extension PointwiseFunction {
  /// Whether the result is 0 on a stretch of numbers.
  fileprivate var staysAtZero: Bool {
    switch self {
    case .relu, .hardSigmoid, .hardSwish, .floor, .ceiling, .roundHalfToEven: true
    case .leakyRelu(let alpha), .elu(let alpha): alpha == 0
    default: false
    }
  }

  fileprivate var isZeroAtZero: Bool {
    switch self {
    case .absolute, .negate, .squareRoot, .tanh, .erf, .softsign, .sign, .leakyRelu, .elu, .selu,
      .celu, .gelu, .sine, .tangent, .arcsine, .arctangent, .hyperbolicSine,
      .inverseHyperbolicSine, .inverseHyperbolicTangent:
      true
    default: false
    }
  }
}

extension ValueBounds.Interval {
  fileprivate init(enclosing tensor: Tensor) {
    self = .all
    guard tensor.elementType.isFloatingPoint else { return }
    let numbers = tensor.floats
    guard let lower = numbers.min(), let upper = numbers.max(),
      !numbers.contains(where: \.isNaN)
    else { return }
    (self.lower, self.upper) = (lower, upper)
  }

  /// 0 on the side that no element crosses.
  fileprivate var sameSide: Self {
    Self(
      lower: isNeverNegative ? 0 : -.infinity, upper: isNeverPositive ? 0 : .infinity)
  }

  fileprivate func union(_ other: Self) -> Self {
    Self(lower: min(lower, other.lower), upper: max(upper, other.upper))
  }

  fileprivate func intersection(_ other: Self) -> Self {
    let (from, to) = (max(lower, other.lower), min(upper, other.upper))
    // Where there is no element, any interval holds them.
    return from <= to ? Self(lower: from, upper: to) : other
  }

  fileprivate func image(of function: PointwiseFunction) -> Self {
    switch function {
    case .relu: return Self(lower: max(lower, 0), upper: max(upper, 0))
    case .absolute, .squareRoot, .exponential, .softplus, .hyperbolicCosine: return .neverNegative
    case .sigmoid, .hardSigmoid: return .unit
    case .negate: return Self(lower: -upper, upper: -lower)
    case .floor, .ceiling, .roundHalfToEven, .tanh, .erf, .softsign, .sign, .hardSwish, .gelu,
      .arcsine, .arctangent, .hyperbolicSine, .inverseHyperbolicSine, .inverseHyperbolicTangent:
      return sameSide
    case .leakyRelu(let alpha) where alpha <= 0, .elu(let alpha) where alpha <= 0:
      return .neverNegative
    case .leakyRelu, .elu: return sameSide
    case .celu(let alpha): return alpha >= 0 ? sameSide : .all
    case .selu(let alpha, let gamma): return alpha >= 0 && gamma >= 0 ? sameSide : .all
    default: return .all
    }
  }

  fileprivate func image(of function: ReduceFunction) -> Self {
    switch function {
    case .maximum, .minimum: self
    case .mean, .sum: sameSide
    case .product: isNeverNegative ? .neverNegative : .all
    case .l1, .l2, .sumSquare: .neverNegative
    case .logSum, .logSumExp: .all
    }
  }

  fileprivate func combined(with other: Self, _ function: BinaryFunction) -> Self {
    switch function {
    case .add: return Self(enclosing: [lower + other.lower, upper + other.upper])
    case .subtract: return Self(enclosing: [lower - other.upper, upper - other.lower])
    case .multiply:
      return Self(
        enclosing: [
          product(lower, other.lower), product(lower, other.upper), product(upper, other.lower),
          product(upper, other.upper),
        ])
    case .divide:
      if other.lower > 0 { return sameSide }
      return other.upper < 0 ? image(of: .negate).sameSide : .all
    case .power:
      let isEven = other.lower == other.upper && other.lower.remainder(dividingBy: 2) == 0
      return isNeverNegative || isEven ? .neverNegative : .all
    case .maximum: return Self(lower: max(lower, other.lower), upper: max(upper, other.upper))
    case .minimum: return Self(lower: min(lower, other.lower), upper: min(upper, other.upper))
    case .remainder: return .all
    }
  }

  /// An end of an interval that is infinite stands for all finite numbers, too: 0 times it is 0.
  private func product(_ a: Float, _ b: Float) -> Float { a == 0 || b == 0 ? 0 : a * b }

  private init(enclosing numbers: [Float]) {
    guard let lower = numbers.min(), let upper = numbers.max(),
      !numbers.contains(where: \.isNaN)
    else {
      self = .all
      return
    }
    (self.lower, self.upper) = (lower, upper)
  }
}
