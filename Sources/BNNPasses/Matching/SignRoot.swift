import BNNGraph
import BNNTensor

/// The place where a graph turns a real number into one of two states (three for `Sign`).
struct SignRoot {
  enum Kind {
    /// Whether 0 is a state like the others, because the operand rests there.
    case sign(restsAtZero: Bool)
    /// The sign of what is never negative: 0 or 1.
    case positive
    /// The sign of what is never positive: −1 or 0.
    case negative
    /// x lies in the interval exactly where the comparison is true.
    case comparison(Thresholds<Float>)
  }

  let kind: Kind
  let node: Int
  /// The real-valued tensor x.
  let operand: ValueID

  init?(at index: Int, of graph: Graph, _ bounds: ValueBounds) throws(GraphError) {
    let node = graph.nodes[index]
    self.node = index
    switch node.op {
    case .elementwiseUnary(let unary) where unary.function == .sign:
      guard let x = node.input(0), graph.constant(x) == nil else { return nil }
      operand = x
      let interval = bounds[x]
      if interval.isNeverNegative {
        kind = .positive
      } else if interval.isNeverPositive {
        kind = .negative
      } else {
        kind = .sign(restsAtZero: try bounds.restsAtZero(x))
      }
    case .comparison(let comparison):
      guard let a = node.input(0), let b = node.input(1) else { return nil }
      let isSwapped = graph.constant(a) != nil
      let (x, bound) = isSwapped ? (b, a) : (a, b)
      guard graph.constant(x) == nil, let bounds = graph.perChannel(bound, like: x),
        graph.dimensions(x) == graph.dimensions(node.outputs[0]),
        let test = Thresholds(comparison.kind, bounds: bounds, isSwapped: isSwapped)
      else { return nil }
      operand = x
      kind = .comparison(test)
    default: return nil
    }
    guard graph[operand].type?.elementType == .float32 else { return nil }
  }

  /// What is computed from the root and constants alone.
  struct Region {
    /// Indices of nodes in order, the root first.
    var nodes: [Int]
    /// Values that somebody outside the region uses and that are real-valued.
    var results: [ValueID]
  }

  func region(in graph: Graph, _ uses: Uses) -> Region {
    var values = Set(graph.nodes[node].outputs)
    var nodes = [node]
    for index in graph.nodes.indices where index > node {
      let candidate = graph.nodes[index]
      guard candidate.isElementwise,
        candidate.inputs.contains(where: { $0.map(values.contains) ?? false }),
        candidate.inputs.allSatisfy({ input in
          input.map { values.contains($0) || graph.isPerChannelConstant($0, like: operand) } ?? true
        })
      else { continue }
      nodes.append(index)
      values.formUnion(candidate.outputs)
    }
    let members = Set(nodes)
    let results = nodes.flatMap { graph.nodes[$0].outputs }.filter { value in
      graph[value].type?.elementType == .float32
        && graph.dimensions(value) == graph.dimensions(operand)
        && (graph.outputs.contains(value)
          || uses.consumers(of: value).contains { !members.contains($0) })
    }
    return Region(nodes: nodes, results: results)
  }

  /// A result with one number in one state and another in the other, in every channel: offset − m
  /// and offset + m.
  struct Step {
    /// The larger number where the sign is positive, or where the comparison holds.
    var isRising: Bool
    var magnitude: Float
    var offset: Float
    /// −1, 0 or 1: the result at a `Sign`'s 0 is the smaller number, that in the middle, the larger.
    var atZero: Int?
  }

  /// - Returns: nil if the result is not such a step.
  func step(_ result: ValueID, of region: Region, in graph: Graph) throws(GraphError) -> Step? {
    let states: [Tensor]
    let shape = graph.channelShape(of: operand)
    func signs(_ numbers: [Float]) -> [Tensor] {
      numbers.map { Tensor([Float](repeating: $0, count: shape.count), shape: shape) }
    }
    switch kind {
    case .sign: states = signs([-1, 0, 1])
    case .positive: states = signs([0, 1])
    case .negative: states = signs([-1, 0])
    case .comparison:
      states = [false, true].map { Tensor([Bool](repeating: $0, count: shape.count), shape: shape) }
    }
    var found: [[Float]] = []
    for state in states {
      guard let floats = try evaluate(result, of: region, state: state, in: graph) else {
        return nil
      }
      found.append(floats)
    }
    guard let low = found.first?.first, let high = found.last?.first, low != high,
      found.allSatisfy({ row in row.allSatisfy { $0 == row[0] } })
    else { return nil }
    let offset = low / 2 + high / 2
    let magnitude = abs(high / 2 - low / 2)
    // Only where float32 holds both numbers as offset ∓ magnitude.
    guard offset.isFinite, magnitude > 0, magnitude.isFinite,
      offset - magnitude == min(low, high), offset + magnitude == max(low, high)
    else { return nil }
    guard found.count == 3 else {
      return Step(isRising: high > low, magnitude: magnitude, offset: offset, atZero: nil)
    }
    let middle = found[1][0]
    guard [low, offset, high].contains(middle) else { return nil }
    return Step(
      isRising: high > low, magnitude: magnitude, offset: offset,
      atZero: middle == offset ? 0 : middle > offset ? 1 : -1)
  }

  private func evaluate(
    _ result: ValueID, of region: Region, state: Tensor, in graph: Graph
  ) throws(GraphError) -> [Float]? {
    var known: [ValueID: Tensor] = [graph.nodes[node].outputs[0]: state]
    for index in region.nodes.dropFirst() where known[result] == nil {
      let node = graph.nodes[index]
      let operands = node.inputs.map { $0.flatMap { known[$0] ?? graph.constant($0) } }
      let results = try node.attempt { () throws(OperatorError) in
        try node.op.definition.evaluate(operands)
      }
      for (output, tensor) in zip(node.outputs, results) { known[output] = tensor }
    }
    return known[result]?.floats
  }
}

extension SignRoot.Region {
  /// The operators on the way from the root to a result, in order.
  func spelling(of result: ValueID, in graph: Graph, _ uses: Uses) -> String {
    let members = Set(nodes)
    var needed: Set<Int> = []
    var open = [result]
    while let value = open.popLast() {
      guard let index = uses.producer(of: value), members.contains(index),
        needed.insert(index).inserted
      else { continue }
      open += graph.nodes[index].inputs.compactMap { $0 }
    }
    return needed.sorted().map { graph.nodes[$0].op.definition.name }.joined(separator: " → ")
  }
}

extension Thresholds<Float> {
  /// The interval where `x kind bound` is true (`bound kind x` if swapped); nil for equality.
  init?(_ kind: Comparison.Kind, bounds: [Float], isSwapped: Bool) {
    let isUpward: Bool
    let isStrict: Bool
    switch kind {
    case .equal: return nil
    case .greater: (isUpward, isStrict) = (!isSwapped, true)
    case .greaterOrEqual: (isUpward, isStrict) = (!isSwapped, false)
    case .less: (isUpward, isStrict) = (isSwapped, true)
    case .lessOrEqual: (isUpward, isStrict) = (isSwapped, false)
    }
    var builder = Thresholds.builder(bounds.count)
    for bound in bounds {
      if bound.isNaN || isStrict && bound == (isUpward ? .infinity : -.infinity) {
        builder.append(.never)
      } else if isUpward {
        builder.append(.inside(isStrict ? bound.nextUp : bound, .infinity))
      } else {
        builder.append(.inside(-.infinity, isStrict ? bound.nextDown : bound))
      }
    }
    self = builder.thresholds
  }
}

extension Graph {
  /// A shape for one number per channel that broadcasts with the value's other operands.
  func channelShape(of value: ValueID) -> Shape {
    let rank = max(dimensions(value).count, 1)
    var extents = [Int](repeating: 1, count: rank)
    extents[min(1, rank - 1)] = self[value].type?.channels ?? 1
    return Shape(extents)
  }

  /// Whether a value is a constant that differs at most between the channels of `other`.
  func isPerChannelConstant(_ value: ValueID, like other: ValueID) -> Bool {
    guard let tensor = constant(value), let type = self[other].type else { return false }
    return tensor.perChannel(rank: type.rank, channels: type.channels) != nil
  }
}
