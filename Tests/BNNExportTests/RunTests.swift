import BNNExport
import BNNFormat
import BNNGraph
import BNNRuntime
import BNNTensor
import BNNTestSupport
import Testing

/// Graph → model → bytes → model → runtime gives what the reference executor gives.
@Suite struct RunTests {
  @Test(arguments: SampleGraphs.all, [1, 3])
  func agreesWithTheReference(graph: Graph, batch: Int) throws {
    let provenance = Provenance(
      producer: "tests", sourceName: "test.onnx", sourceBytes: 0, passes: [], options: [])
    let lowered = try LoweredModel(lowering: graph, provenance: provenance)
    let model = try BinaryModel(decoding: lowered.model.encoded())
    var random = SeededGenerator(seed: 11)
    var inputs: [String: Tensor] = [:]
    for id in graph.inputs {
      let shape = try #require(graph[id].type).dimensions.shape(batch: batch)
      inputs[graph[id].name] = Tensor.random(shape, using: &random)
    }
    let expected = try ReferenceExecutor(graph).run(inputs)
    let found = try InferenceSession(model).run(inputs)
    #expect(found.map(\.name) == graph.outputs.map { graph[$0].name })
    for (id, output) in zip(graph.outputs, found) {
      let reference = try #require(expected[id])
      #expect(reference.shape == output.tensor.shape)
      for (a, b) in zip(reference.floats, output.tensor.floats) {
        #expect((a - b).magnitude <= 1e-4 * max(1, a.magnitude))
      }
    }
  }
}
