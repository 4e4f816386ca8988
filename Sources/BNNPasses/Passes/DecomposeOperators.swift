import BNNGraph
import BNNTensor

/// Writes operators that files have no operation for with several that they have, exactly as they
/// are defined: `Gemm`, `BatchNormalization` with computed parameters, `Clip`, `PRelu`, `Tile`,
/// products of vectors, biases, functions of integers.
///
/// Before: `Clip(x, minimum, maximum)`.
/// After: `Min(Max(x, minimum), maximum)`.
///
/// It runs last, so that what other passes fuse or make constant is not taken apart.
public struct DecomposeOperators: Pass {
  public let name = "decompose-operators"
  public let summary = "Writes operators without an operation of their own with simpler ones."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      // Moved there and back, so that nothing is copied.
      var parts = Decomposition(node: node, graph: graph)
      graph = Graph()
      let result = try parts.result()
      graph = parts.graph
      guard let result else { continue }
      graph.replaceUses(of: node.outputs[0], with: result)
      outcome.rewrote(node, "written with simpler operators")
    }
    return outcome
  }
}

/// One node's simpler operators, while they are added to a graph.
struct Decomposition {
  let node: Node
  var graph: Graph

  /// The value that takes the place of the node's result; nil where the node stays.
  mutating func result() throws(GraphError) -> ValueID? {
    switch node.op {
    case .gemm(let gemm): return try product(gemm)
    case .matMul: return try productOfVectors()
    case .batchNormalization(let normalization): return try normalized(normalization)
    case .convolution(let convolution):
      return try withoutBias(.convolution(convolution))
    case .transposedConvolution(let convolution):
      return try withoutBias(.transposedConvolution(convolution))
    case .clip: return try clipped()
    case .pRelu: return try sloped()
    case .pad: return try paddedWithZero()
    case .elementwiseUnary(let unary): return try functionOfIntegers(unary.function)
    case .elementwiseBinary(let binary) where binary.kind == .power: return try power()
    case .tile: return try tiled()
    case .softmax(let softmax) where softmax.flattens: return try softmaxOverAxes(softmax)
    default: return nil
    }
  }

  // MARK: Adding nodes

  /// Adds an operator, or evaluates it where all its operands are constants.
  mutating func add(_ op: Op, _ inputs: ValueID?...) throws(GraphError) -> ValueID {
    let constants = inputs.compactMap { $0.flatMap { graph[$0].constant } }
    guard constants.count == inputs.count else {
      return graph.add(op, name: node.name, inputs: inputs)
    }
    let results = try node.attempt { () throws(OperatorError) in
      try op.definition.evaluate(constants)
    }
    return graph.addConstant(results[0], name: node.name + ".constant")
  }

  mutating func add(
    _ kind: BinaryFunction, _ a: ValueID, _ b: ValueID
  ) throws(GraphError) -> ValueID {
    try add(.elementwiseBinary(ElementwiseBinary(kind: kind)), a, b)
  }

  mutating func scalar(_ value: Float, like operand: ValueID) -> ValueID {
    let type = elementType(operand)
    let tensor =
      type == .float32
      ? Tensor(scalar: value) : Tensor([Int64(value)], shape: [], elementType: type)
    return graph.addConstant(tensor, name: node.name + ".constant")
  }

  /// A value under other dimensions; nil where no `Reshape` can say them.
  mutating func reshape(_ value: ValueID, to dimensions: [Dimension]) throws(GraphError) -> ValueID?
  {
    guard let from = graph[value].type else { return nil }
    let to = ValueType(from.elementType, dimensions)
    if from == to { return value }
    let fixed = dimensions.map { $0.extent(batch: 1) }
    let allowsZero = fixed.contains(0)
    guard let target = allowsZero ? fixed : from.reshapeTarget(to),
      !allowsZero || !dimensions.contains(where: \.isBatch)
    else { return nil }
    let shape = graph.addConstant(
      Tensor(target.map { Int64($0) }, shape: [target.count]), name: node.name + ".shape")
    let result = try add(.reshape(Reshape(allowsZero: allowsZero)), value, shape)
    graph[result].type = to
    return result
  }

  func elementType(_ value: ValueID) -> ElementType { graph[value].type?.elementType ?? .float32 }
  func dimensions(_ value: ValueID) -> [Dimension] { graph[value].type?.dimensions ?? [] }
  var outputDimensions: [Dimension] { dimensions(node.outputs[0]) }
}
