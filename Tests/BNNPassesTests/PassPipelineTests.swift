import BNNGraph
import BNNPasses
import BNNTensor
import Testing

struct PassPipelineTests {
  struct Nothing: Pass {
    var name = "nothing"
    let summary = "Does nothing."
    func run(on graph: inout Graph) throws(GraphError) -> PassOutcome { PassOutcome() }
  }

  /// Leaves a graph that reads an undefined value.
  struct Breaks: Pass {
    let name = "breaks"
    let summary = "Leaves a graph that is not valid."
    func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
      let undefined = graph.addValue(Value(name: "undefined"))
      graph.nodes[0].inputs[0] = undefined
      return PassOutcome()
    }
  }

  private func graph() -> Graph {
    var b = GraphBuilder()
    let x = b.input([2])
    return b.finish(b.sign(x))
  }

  @Test func namesAreUniqueAndInOrder() {
    let names = PassPipeline.standard().passes.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.first == "fold-constants" && names.last == "decompose-operators")
    #expect(PassPipeline.standard().passes.allSatisfy { $0.summary.hasSuffix(".") })
  }

  @Test func passesAreInsertedAndRemovedByName() throws {
    var pipeline = PassPipeline.standard()
    try pipeline.insert(Nothing(), before: "pack-bits")
    try pipeline.insert(Nothing(name: "last"), after: "decompose-operators")
    let packing = try #require(pipeline.index(of: "pack-bits"))
    #expect(pipeline.index(of: "nothing") == packing - 1)
    #expect(pipeline.passes.last?.name == "last")
    try pipeline.remove("nothing")
    #expect(pipeline.index(of: "nothing") == nil)
  }

  @Test func mistakesAreErrors() {
    var pipeline = PassPipeline([Nothing()])
    #expect(throws: PassError.duplicateName("nothing")) { try pipeline.append(Nothing()) }
    #expect(throws: PassError.unknownPass("other", known: ["nothing"])) {
      try pipeline.remove("other")
    }
  }

  @Test func anInvalidGraphNamesThePass() throws {
    var graph = graph()
    let error = #expect(throws: PassError.self) {
      try PassPipeline([Nothing(), Breaks()]).run(on: &graph)
    }
    guard case .failed("breaks", _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func conversionIsIdempotent() throws {
    var once = graph()
    try PassPipeline.standard().run(on: &once)
    var twice = once
    try PassPipeline.standard().run(on: &twice)
    #expect(operators(once) == operators(twice))
  }

  @Test func observersSeeEveryPass() throws {
    var graph = graph()
    var seen: [String] = []
    try PassPipeline([Nothing(), Nothing(name: "second")]).run(on: &graph) { report, _ in
      seen.append(report.pass)
    }
    #expect(seen == ["nothing", "second"])
  }
}
