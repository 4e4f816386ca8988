import BNNGraph
import BNNTensor

/// A part of a graph that computes one value from one other, element by element and, apart from
/// the channel, in the same way everywhere.
///
/// Such a part is a function of one number per channel, so it can be understood by evaluating it.
struct ElementwiseCone {
  /// The value that the cone reads.
  let source: ValueID
  let result: ValueID
  /// Indices of the nodes in the order in which they run.
  let nodes: [Int]
  /// Rank and channels of the source.
  let rank: Int
  let channels: Int

  /// The cones that end in `result`, shallowest first.
  ///
  /// Grows backward from the result, always through the last of the values that are still open;
  /// every state in which one value is open is a cone.
  ///
  /// - Parameters:
  ///   - result: its own other users do not matter.
  ///   - sharing: whether others may use the inner values too.
  static func all(
    endingIn result: ValueID, of graph: Graph, _ uses: Uses, sharing: Bool = false
  ) -> [ElementwiseCone] {
    var open: Set<ValueID> = [result]
    var inside: Set<Int> = []
    var cones: [ElementwiseCone] = []
    func position(_ value: ValueID) -> Int { uses.producer(of: value) ?? -1 }
    while let value = open.max(by: { position($0) < position($1) }),
      let index = uses.producer(of: value), graph.nodes[index].isElementwise,
      value == result || sharing
        || (uses.consumers(of: value).allSatisfy(inside.contains)
          && !graph.outputs.contains(value)),
      let data = dataInputs(of: graph.nodes[index], graph)
    {
      inside.insert(index)
      open.remove(value)
      open.formUnion(data)
      guard open.count == 1, let source = open.first, let type = graph[source].type else {
        continue
      }
      guard type.rank >= 1, let channels = type.channels, type.elementType == .float32 else {
        continue
      }
      cones.append(
        ElementwiseCone(
          source: source, result: result, nodes: inside.sorted(), rank: type.rank,
          channels: channels))
    }
    return cones
  }

  /// The inputs of an elementwise node that are not constants; nil when a constant differs within
  /// a channel.
  private static func dataInputs(of node: Node, _ graph: Graph) -> Set<ValueID>? {
    if case .batchNormalization = node.op {
      guard node.inputs.dropFirst().allSatisfy({ graph.constant($0) != nil }) else { return nil }
      return node.input(0).map { [$0] }
    }
    // The output's rank decides where the channels are; its type may be bool.
    guard let output = node.outputs.first, let type = graph[output].type else { return nil }
    var data: Set<ValueID> = []
    for case let input? in node.inputs {
      if let constant = graph.constant(input) {
        guard constant.perChannel(rank: type.rank, channels: type.channels) != nil else {
          return nil
        }
      } else {
        guard graph.dimensions(input) == type.dimensions else { return nil }
        data.insert(input)
      }
    }
    return data
  }

  /// Evaluates the cone at one number per channel and row.
  ///
  /// - Parameter rows: for each row, one number per channel.
  /// - Returns: the results in the same order.
  func evaluate(_ rows: [[Float]], in graph: Graph) throws(GraphError) -> [[Float]] {
    // A vector has no axis for the rows: they are evaluated one by one.
    if rank == 1 && rows.count != 1 {
      var results: [[Float]] = []
      for row in rows { results += try evaluate([row], in: graph) }
      return results
    }
    let floats = try values(at: rows, in: graph)[result]?.floats ?? []
    return rows.indices.map { Array(floats[$0 * channels..<($0 + 1) * channels]) }
  }

  /// For each channel, whether no step of the cone gives NaN at one number.
  func isDefined(at row: [Float], in graph: Graph) throws(GraphError) -> [Bool] {
    var defined = [Bool](repeating: true, count: channels)
    for (_, tensor) in try values(at: [row], in: graph)
    where tensor.elementType.isFloatingPoint && tensor.count == channels {
      for (channel, number) in tensor.floats.enumerated() where number.isNaN {
        defined[channel] = false
      }
    }
    return defined
  }

  /// All values of the cone at one number per channel and row; of a vector, one row.
  private func values(
    at rows: [[Float]], in graph: Graph
  ) throws(GraphError) -> [ValueID: Tensor] {
    var extents = [Int](repeating: 1, count: rank)
    if rank >= 2 { extents[0] = rows.count }
    extents[min(1, rank - 1)] = channels
    var known: [ValueID: Tensor] = [
      source: Tensor(rows.flatMap { $0 }, shape: Shape(extents))
    ]
    for index in nodes {
      let node = graph.nodes[index]
      let operands = node.inputs.map { $0.flatMap { known[$0] ?? graph[$0].constant } }
      let results = try node.attempt { () throws(OperatorError) in
        try node.op.definition.evaluate(operands)
      }
      for (output, tensor) in zip(node.outputs, results) { known[output] = tensor }
    }
    return known
  }

  /// Whether the cone is a chain of operators each of which is monotone in every channel, so that
  /// the whole is monotone too: rounding does not reverse an order.
  func isMonotoneChain(in graph: Graph) -> Bool {
    var value = source
    for index in nodes {
      let node = graph.nodes[index]
      let data = node.inputs.compactMap { $0 }.filter { graph.constant($0) == nil }
      guard data == [value], node.isMonotone(in: graph), let output = node.outputs.first else {
        return false
      }
      value = output
    }
    return value == result
  }
}

extension Node {
  /// Whether each element of the result depends on the elements of the operands at the same
  /// position only.
  var isElementwise: Bool {
    switch op {
    case .elementwiseUnary, .elementwiseBinary, .comparison, .logical, .select, .clip, .cast,
      .pRelu, .batchNormalization, .identity, .binarize:
      true
    case .block(let block): block.core == .pointwise && inputs.count == 1 && outputs.count == 1
    default: false
    }
  }

  /// Whether an elementwise node with one operand that is not constant is monotone in it, in
  /// every channel.
  func isMonotone(in graph: Graph) -> Bool {
    // 0·∞ and 0/0 are NaN, which no order holds for.
    let parameters = inputs.compactMap { graph.constant($0)?.floats }
    guard parameters.allSatisfy({ $0.allSatisfy(\.isFinite) }) else { return false }
    return switch op {
    case .batchNormalization, .identity: true
    case .binarize(let binarize): binarize.thresholds.isMonotone
    case .clip: graph.constant(input(0)) == nil
    case .elementwiseUnary(let unary): unary.function.isMonotone
    case .elementwiseBinary(let binary):
      switch binary.kind {
      case .add, .subtract, .multiply, .maximum, .minimum: true
      case .divide: graph.constant(input(1))?.floats.allSatisfy { $0 != 0 } ?? false
      default: false
      }
    case .pRelu: graph.constant(input(1))?.floats.allSatisfy { $0 >= 0 } ?? false
    case .comparison(let comparison): comparison.kind != .equal
    case .cast(let cast): cast.to == .float32 || cast.to == .bool || cast.to == .float64
    default: false
    }
  }
}

extension PointwiseFunction {
  var isMonotone: Bool {
    switch self {
    case .negate, .sigmoid, .tanh, .erf, .softplus, .softsign, .sign, .relu, .exponential, .floor,
      .ceiling, .roundHalfToEven, .arctangent, .hyperbolicSine, .inverseHyperbolicSine:
      true
    case .leakyRelu(let alpha): alpha >= 0
    case .elu(let alpha), .celu(let alpha): alpha > 0
    case .hardSigmoid: true
    case .selu(let alpha, let gamma): alpha >= 0 && gamma >= 0
    case .absolute, .reciprocal, .hardSwish, .gelu, .logarithm, .squareRoot: false
    case .sine, .cosine, .tangent, .hyperbolicCosine: false
    // NaN beyond their domains.
    case .arcsine, .arccosine, .inverseHyperbolicCosine, .inverseHyperbolicTangent: false
    }
  }
}

extension Thresholds<Float> {
  /// Whether each channel's bit switches at most once.
  var isMonotone: Bool {
    (0..<count).allSatisfy {
      lower[$0] > upper[$0] || lower[$0] == -.infinity || upper[$0] == .infinity
    }
  }
}
