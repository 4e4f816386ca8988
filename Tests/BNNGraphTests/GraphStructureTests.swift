import BNNTensor
import Testing

@testable import BNNGraph

/// Verification, sorting, and the removal of what is not needed.
@Suite struct GraphStructureTests {
  private let type = ValueType(.float32, [2] as Shape)

  /// x → a → b → c, and d beside them.
  private func chain() -> Graph {
    var graph = Graph(name: "chain")
    let x = graph.addInput(name: "x", type: type)
    let a = graph.add(.identity(Identity()), name: "a", inputs: [x])
    let b = graph.add(.identity(Identity()), name: "b", inputs: [a])
    _ = graph.add(.identity(Identity()), name: "d", inputs: [a])
    graph.outputs = [graph.add(.identity(Identity()), name: "c", inputs: [b])]
    return graph
  }

  private func names(_ graph: Graph) -> [String] { graph.nodes.map(\.name) }

  @Test func aSoundGraph() throws {
    try chain().verify()
    try Graph().verify()
  }

  @Test func aCycleNamesItsNodes() {
    var graph = chain()
    graph.nodes[1].inputs = graph.nodes[3].outputs.map { $0 }
    #expect(throws: GraphError.cycle(nodes: ["b", "c"])) { try graph.verify() }
    #expect(throws: GraphError.cycle(nodes: ["b", "c"])) { try graph.removeDeadNodes() }
    #expect(throws: GraphError.cycle(nodes: ["b", "c"])) { try graph.inferTypes() }
    #expect(throws: GraphError.cycle(nodes: ["b", "c"])) {
      _ = try ReferenceExecutor(graph).run(["x": floats([1, 2])])
    }
  }

  @Test func aNodeThatUsesItself() {
    var graph = chain()
    graph.nodes[0].inputs = graph.nodes[0].outputs.map { $0 }
    #expect(throws: GraphError.cycle(nodes: ["a"])) { try graph.verify() }
  }

  @Test func aValueThatNothingMakes() {
    var graph = chain()
    let lost = graph.addValue(Value(name: "lost"))
    graph.nodes[1].inputs = [lost]
    #expect(throws: GraphError.undefinedValue(name: "lost", node: "b")) { try graph.verify() }
  }

  @Test func anOutputThatNothingMakes() {
    var graph = chain()
    graph.outputs.append(graph.addValue(Value(name: "lost")))
    #expect(throws: GraphError.undefinedOutput(name: "lost")) { try graph.verify() }
  }

  @Test func aValueFromAnotherGraph() {
    var graph = chain()
    graph.nodes[1].inputs = [ValueID(index: 99)]
    #expect(throws: GraphError.undefinedValue(name: "#99", node: "b")) { try graph.verify() }
  }

  @Test func twoProducers() {
    var graph = chain()
    graph.nodes[2].outputs = graph.nodes[0].outputs
    #expect(throws: GraphError.twoProducers(value: "a")) { try graph.verify() }
    graph = chain()
    graph.nodes[2].outputs = graph.inputs
    #expect(throws: GraphError.twoProducers(value: "x")) { try graph.verify() }
    graph = chain()
    graph[graph.nodes[0].outputs[0]].constant = floats([1, 2])
    #expect(throws: GraphError.twoProducers(value: "a")) { try graph.verify() }
  }

  @Test func deadNodesAndValuesGo() throws {
    var graph = chain()
    _ = graph.addConstant(floats([1]), name: "unused")
    try graph.removeDeadNodes()
    #expect(names(graph) == ["a", "b", "c"])
    #expect(graph.values.map(\.name) == ["x", "a", "b", "c"])
    #expect(graph.outputs.map { graph[$0].name } == ["c"])
    let again = graph
    try graph.removeDeadNodes()
    #expect(graph == again)
  }

  @Test func unusedInputsStay() throws {
    var graph = chain()
    _ = graph.addInput(name: "z", type: type)
    try graph.removeDeadNodes()
    #expect(graph.inputs.map { graph[$0].name } == ["x", "z"])
  }

  @Test func allOutputsOfANeededNodeStay() throws {
    var graph = Graph()
    let x = graph.addInput(name: "x", type: type)
    let parts = ["p", "q"].map { graph.addValue(Value(name: $0)) }
    graph.nodes = [
      Node(name: "s", op: .split(Split(axis: 0, parts: 2)), inputs: [x], outputs: parts)
    ]
    graph.outputs = [parts[1]]
    try graph.removeDeadNodes()
    #expect(graph.values.map(\.name) == ["x", "p", "q"])
  }

  @Test func sortingMovesOnlyWhatMustMove() throws {
    var graph = chain()
    graph.outputs.append(graph.nodes[2].outputs[0])
    try graph.removeDeadNodes()
    #expect(names(graph) == ["a", "b", "d", "c"])
    graph.nodes.swapAt(0, 3)
    try graph.removeDeadNodes()
    #expect(names(graph) == ["a", "b", "c", "d"])
  }

  @Test func aLongChainDoesNotExhaustTheStack() throws {
    var graph = Graph()
    var value = graph.addInput(name: "x", type: type)
    for index in 0..<50_000 {
      value = graph.add(.identity(Identity()), name: "\(index)", inputs: [value])
    }
    graph.outputs = [value]
    graph.nodes.reverse()
    try graph.removeDeadNodes()
    #expect(graph.nodes.first?.name == "0")
    #expect(graph.nodes.count == 50_000)
  }
}
