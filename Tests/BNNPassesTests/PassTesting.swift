import BNNGraph
import BNNPasses
import BNNTensor
import BNNTestSupport
import Testing

/// Builds small graphs in tests.
struct GraphBuilder {
  var graph = Graph(name: "test")

  mutating func input(
    _ shape: [Int], name: String = "x", elementType: ElementType = .float32
  ) -> ValueID {
    graph.addInput(
      name: name, type: ValueType(elementType, [.batch(1)] + shape.map { .fixed($0) }))
  }

  mutating func constant(_ elements: [Float], _ shape: Shape) -> ValueID {
    graph.addConstant(Tensor(elements, shape: shape), name: "c\(graph.values.count)")
  }

  mutating func integers(_ elements: [Int64]) -> ValueID {
    graph.addConstant(Tensor(elements, shape: [elements.count]), name: "i\(graph.values.count)")
  }

  mutating func scalar(_ number: Float) -> ValueID { constant([number], []) }

  mutating func node(_ op: Op, _ inputs: ValueID?...) -> ValueID {
    graph.add(op, name: "\(op.definition.name)_\(graph.nodes.count)", inputs: inputs)
  }

  mutating func sign(_ x: ValueID) -> ValueID {
    node(.elementwiseUnary(ElementwiseUnary(function: .sign)), x)
  }

  mutating func binary(
    _ kind: ElementwiseBinary.Kind, _ a: ValueID, _ b: ValueID
  ) -> ValueID {
    node(.elementwiseBinary(ElementwiseBinary(kind: kind)), a, b)
  }

  /// A 3×3 convolution with padding 1.
  mutating func convolution(
    _ x: ValueID, weights: [Float], outputs: Int, channels: Int, groups: Int = 1, kernel: Int = 3,
    bias: ValueID? = nil
  ) -> ValueID {
    let shape: Shape = [outputs, channels / groups, kernel, kernel]
    let w = constant(weights, shape)
    let pad = kernel / 2
    let window = WindowGeometry(
      kernel: [kernel, kernel], padsBegin: [pad, pad], padsEnd: [pad, pad])
    return node(
      .convolution(Convolution(geometry: ConvolutionGeometry(window: window, groups: groups))), x,
      w, bias)
  }

  mutating func normalization(
    _ x: ValueID, gamma: [Float], beta: [Float], mean: [Float], variance: [Float]
  ) -> ValueID {
    let shape: Shape = [gamma.count]
    let operands = [gamma, beta, mean, variance].map { constant($0, shape) }
    return node(
      .batchNormalization(BatchNormalization(epsilon: 1e-5)), x, operands[0], operands[1],
      operands[2], operands[3])
  }

  mutating func finish(_ outputs: ValueID...) -> Graph {
    graph.outputs = outputs
    return graph
  }
}

/// Random numbers for tests; the seed is part of the failure's message.
struct Numbers {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func signs(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { _ in Bool.random(using: &generator) ? scale : -scale }
  }

  mutating func uniform(_ count: Int, _ range: ClosedRange<Float> = -2...2) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &generator) }
  }

  mutating func integers(_ count: Int, _ range: ClosedRange<Int>) -> [Float] {
    (0..<count).map { _ in Float(Int.random(in: range, using: &generator)) }
  }
}

/// Runs passes on a graph.
func apply(_ passes: [any Pass], to graph: Graph) throws -> (graph: Graph, reports: [PassReport]) {
  var result = graph
  let reports = try PassPipeline(passes).run(on: &result)
  return (result, reports)
}

/// The operators of a graph in order.
func operators(_ graph: Graph) -> [String] { graph.nodes.map(\.op.definition.name) }

/// Expects two graphs to compute the same from a tensor: bit for bit, or within a distance
/// relative to the largest value.
func expectSameMeaning(
  _ before: Graph, _ after: Graph, on tensor: Tensor, as other: Tensor? = nil, tolerance: Float = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let name = before[before.inputs[0]].name
  let expected = try ReferenceExecutor(before).run([name: tensor])
  let found = try ReferenceExecutor(after).run([name: other ?? tensor])
  for (a, b) in zip(before.outputs, after.outputs) {
    let x = try #require(expected[a], sourceLocation: sourceLocation)
    let y = try #require(found[b], sourceLocation: sourceLocation)
    #expect(x.shape == y.shape, sourceLocation: sourceLocation)
    let largest = x.floats.reduce(Float(0)) { max($0, abs($1)) }
    let distance = zip(x.floats, y.floats).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
    #expect(distance <= tolerance * largest, sourceLocation: sourceLocation)
  }
}
