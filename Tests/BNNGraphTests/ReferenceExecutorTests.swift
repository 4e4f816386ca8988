import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct ReferenceExecutorTests {
  /// y = (x + k) · z, all [N, 2].
  private func graph() -> Graph {
    var graph = Graph(name: "g")
    let type = ValueType(.float32, [.batch(1), .fixed(2)])
    let x = graph.addInput(name: "x", type: type)
    let z = graph.addInput(name: "z", type: type)
    let k = graph.addConstant(floats([10, 20]), name: "k")
    let sum = graph.add(
      .elementwiseBinary(ElementwiseBinary(kind: .add)), name: "sum", inputs: [x, k])
    graph.outputs = [
      graph.add(
        .elementwiseBinary(ElementwiseBinary(kind: .multiply)), name: "y", inputs: [sum, z])
    ]
    return graph
  }

  @Test func runsAnyBatch() throws {
    let graph = graph()
    for batch in 1...3 {
      let x = ramp([batch, 2])
      let result = try ReferenceExecutor(graph).run(["x": x, "z": x])
      #expect(Set(result.keys) == Set(graph.outputs))
      let expected = x.floats.enumerated().map { ($1 + ($0 % 2 == 0 ? 10 : 20)) * $1 }
      #expect(result[graph.outputs[0]] == floats(expected, [batch, 2]))
    }
  }

  @Test func keepsWhatIsAskedFor() throws {
    let graph = graph()
    let sum = graph.nodes[0].outputs[0]
    let x = floats([1, 2], [1, 2])
    let result = try ReferenceExecutor(graph).run(["x": x, "z": x], keeping: [sum])
    #expect(result[sum] == floats([11, 22], [1, 2]))
    #expect(result.count == 2)
    let inputs = try ReferenceExecutor(graph).run(
      ["x": x, "z": x], keeping: Set(graph.inputs + graph.nodes[0].inputs.compactMap { $0 }))
    #expect(inputs[graph.inputs[1]] == x)
    #expect(inputs.count == 4)
  }

  @Test func nodesInAnyOrder() throws {
    var graph = graph()
    let x = floats([1, 2], [1, 2])
    let expected = try ReferenceExecutor(graph).run(["x": x, "z": x])
    graph.nodes.reverse()
    #expect(try ReferenceExecutor(graph).run(["x": x, "z": x]) == expected)
  }

  @Test func anInputOrAConstantMayBeAnOutput() throws {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: ValueType(.float32, [1] as Shape))
    let k = graph.addConstant(floats([5]), name: "k")
    graph.outputs = [x, k]
    let result = try ReferenceExecutor(graph).run(["x": floats([3])])
    #expect(result == [x: floats([3]), k: floats([5])])
  }

  @Test func namesOfInputs() {
    let executor = ReferenceExecutor(graph())
    let x = ramp([1, 2])
    #expect(throws: GraphError.wrongInputs(expected: ["x", "z"], found: ["x"])) {
      _ = try executor.run(["x": x])
    }
    #expect(throws: GraphError.wrongInputs(expected: ["x", "z"], found: ["w", "x", "z"])) {
      _ = try executor.run(["x": x, "z": x, "w": x])
    }
  }

  @Test(arguments: [
    (ramp([1, 3]), "float32[1,3]"),
    (ramp([2]), "float32[2]"),
    (ramp([0, 2]), "float32[0,2]"),
    (integers([1, 2], [1, 2]), "int64[1,2]"),
  ])
  func typesOfInputs(tensor: Tensor, found: String) {
    #expect(
      throws: GraphError.inputMismatch(name: "x", expected: "float32[N,2]", found: found)
    ) {
      _ = try ReferenceExecutor(graph()).run(["x": tensor, "z": ramp([1, 2])])
    }
  }

  @Test func oneBatchForAllInputs() {
    #expect(
      throws: GraphError.inputMismatch(
        name: "z", expected: "float32[N,2] with N = 2", found: "float32[3,2]")
    ) {
      _ = try ReferenceExecutor(graph()).run(["x": ramp([2, 2]), "z": ramp([3, 2])])
    }
  }

  @Test func errorsNameTheNode() {
    var graph = graph()
    graph[graph.nodes[0].inputs[1] ?? graph.inputs[0]].constant = floats([1, 2, 3])
    #expect(
      throws: GraphError.atNode(
        name: "sum", op: "Add",
        .shapeMismatch(input: 1, expected: "broadcastable with [1,2]", found: [3]))
    ) {
      _ = try ReferenceExecutor(graph).run(["x": ramp([1, 2]), "z": ramp([1, 2])])
    }
  }
}
