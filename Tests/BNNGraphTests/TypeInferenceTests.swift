import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct TypeInferenceTests {
  private func openInput(_ rest: [Int]) -> (graph: Graph, x: ValueID) {
    var graph = Graph(name: "g")
    let dimensions = [Dimension.batch(1)] + rest.map { .fixed($0) }
    let x = graph.addInput(name: "x", type: ValueType(.float32, dimensions))
    return (graph, x)
  }

  /// Reshape to [N, 3, -1] as exporters write it: Shape, Gather, Unsqueeze, Concat, Reshape.
  @Test func shapeArithmeticKeepsTheBatchOpen() throws {
    var (graph, x) = openInput([4, 6])
    let zero = graph.addConstant(integers([0], []), name: "zero")
    let axes = graph.addConstant(integers([0]), name: "axes")
    let rest = graph.addConstant(integers([3, -1]), name: "rest")
    let shape = graph.add(.shapeOf(ShapeOf()), name: "shape", inputs: [x])
    let batch = graph.add(.gather(Gather()), name: "batch", inputs: [shape, zero])
    let list = graph.add(.unsqueeze(Unsqueeze()), name: "list", inputs: [batch, axes])
    let target = graph.add(.concat(Concat(axis: 0)), name: "target", inputs: [list, rest])
    let y = graph.add(.reshape(Reshape()), name: "y", inputs: [x, target])
    graph.outputs = [y]
    try graph.inferTypes()
    #expect(graph[y].type == ValueType(.float32, [.batch(1), .fixed(3), .fixed(8)]))
    #expect(graph[target].type == ValueType(.int64, [.fixed(3)]))
    #expect(graph[batch].type == ValueType(.int64, []))
  }

  @Test func valuesThatDoNotDependOnTheBatchAreKnown() throws {
    var (graph, x) = openInput([4, 6])
    let one = graph.addConstant(integers([1], []), name: "one")
    let shape = graph.add(.shapeOf(ShapeOf()), name: "shape", inputs: [x])
    let channels = graph.add(.gather(Gather()), name: "channels", inputs: [shape, one])
    let tail = graph.add(.shapeOf(ShapeOf(start: 1)), name: "tail", inputs: [x])
    let types = try graph.inferredTypes()
    #expect(types.knownValue(of: channels) == integers([4], []))
    #expect(types.knownValue(of: tail) == integers([4, 6]))
    #expect(types.knownValue(of: shape) == nil)
    #expect(types.knownValue(of: x) == nil)
  }

  @Test func aReshapeMayMergeTheBatch() throws {
    var (graph, x) = openInput([4, 6])
    let target = graph.addConstant(integers([-1, 6]), name: "target")
    let rows = graph.add(.reshape(Reshape()), name: "rows", inputs: [x, target])
    let back = graph.addConstant(integers([-1, 4, 6]), name: "back")
    let y = graph.add(.reshape(Reshape()), name: "y", inputs: [rows, back])
    try graph.inferTypes()
    #expect(graph[rows].type == ValueType(.float32, [.batch(4), .fixed(6)]))
    #expect(graph[y].type == graph[x].type)
  }

  @Test func aSizeOfTheBatchMayMakeAConstant() throws {
    var (graph, x) = openInput([2])
    let shape = graph.add(.shapeOf(ShapeOf()), name: "shape", inputs: [x])
    let ones = graph.add(
      .constantOfShape(ConstantOfShape(value: floats([1]))), name: "ones", inputs: [shape])
    let size = graph.add(.size(Size()), name: "size", inputs: [x])
    try graph.inferTypes()
    #expect(graph[ones].type == graph[x].type)
    #expect(graph[size].type == ValueType(.int64, []))
  }

  @Test func aFixedBatchIsOneProbe() throws {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: ValueType(.float32, [3, 4]))
    let shape = graph.add(.shapeOf(ShapeOf()), name: "shape", inputs: [x])
    let y = graph.add(.flatten(Flatten(axis: 0)), name: "y", inputs: [x])
    #expect(try graph.inferredTypes().knownValue(of: shape) == integers([3, 4]))
    try graph.inferTypes()
    #expect(graph[y].type == ValueType(.float32, [1, 12]))
  }

  @Test func anExtentThatIsNoMultipleOfTheBatch() throws {
    var (graph, x) = openInput([2])
    let pads = graph.addConstant(integers([1, 0, 0, 0]), name: "pads")
    _ = graph.add(.pad(Pad()), name: "longer", inputs: [x, pads])
    #expect(
      throws: GraphError.irregularBatch(
        value: "longer", batches: [2, 3, 7], shapes: [[3, 2], [4, 2], [8, 2]])
    ) { try graph.inferTypes() }
  }

  @Test func aShapeThatDependsOnAnInput() throws {
    var (graph, x) = openInput([2])
    let target = graph.addInput(name: "target", type: ValueType(.int64, [2]))
    _ = graph.add(.reshape(Reshape()), name: "r", inputs: [x, target])
    #expect(
      throws: GraphError.atNode(name: "r", op: "Reshape", .shapeDependsOnData(input: 1))
    ) { try graph.inferTypes() }
  }

  @Test func largeConstantsAreNotEvaluated() throws {
    var graph = Graph()
    let large = graph.addConstant(ramp([5000]), name: "large")
    let small = graph.addConstant(ramp([50]), name: "small")
    let a = graph.add(
      .elementwiseUnary(ElementwiseUnary(function: .sign)), name: "a", inputs: [large])
    let b = graph.add(
      .elementwiseUnary(ElementwiseUnary(function: .sign)), name: "b", inputs: [small])
    let types = try graph.inferredTypes()
    #expect(types.knownValue(of: a) == nil)
    #expect(types.knownValue(of: b)?.count == 50)
    #expect(types.types[a.index] == ValueType(.float32, [5000]))
  }

  @Test func theOrderOfTheNodesDoesNotMatter() throws {
    var (graph, x) = openInput([2])
    let a = graph.add(.identity(Identity()), name: "a", inputs: [x])
    let b = graph.add(.identity(Identity()), name: "b", inputs: [a])
    graph.nodes.reverse()
    try graph.inferTypes()
    #expect(graph[b].type == graph[x].type)
  }

  @Test func everyOutputOfANodeIsTyped() throws {
    var (graph, x) = openInput([5])
    let parts = ["p", "q"].map { graph.addValue(Value(name: $0)) }
    graph.nodes.append(
      Node(name: "s", op: .split(Split(axis: 1, parts: 2)), inputs: [x], outputs: parts))
    try graph.inferTypes()
    #expect(graph[parts[0]].type == ValueType(.float32, [.batch(1), .fixed(3)]))
    #expect(graph[parts[1]].type == ValueType(.float32, [.batch(1), .fixed(2)]))
    graph.nodes[0].outputs.removeLast()
    #expect(
      throws: GraphError.atNode(
        name: "s", op: "Split", .wrongOutputCount(expected: 2, found: 1))
    ) { try graph.inferTypes() }
  }

  @Test func inputsNeedATypeAndASizeThatCanBe() throws {
    var graph = Graph()
    let x = graph.addValue(Value(name: "x"))
    graph.inputs = [x]
    #expect(throws: GraphError.inputWithoutType(name: "x")) { try graph.inferTypes() }
    for dimensions: [Dimension] in [
      [.fixed(-1)], [.fixed(1 << 32)], [.batch(.max)], [.fixed(.max), .fixed(.max)],
    ] {
      let type = ValueType(.float32, dimensions)
      graph[x].type = type
      #expect(throws: GraphError.invalidInputType(name: "x", type)) { try graph.inferTypes() }
    }
  }
}
