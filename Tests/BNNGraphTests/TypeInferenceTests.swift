import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct TypeInferenceTests {
  /// Reshape to [-1, rest] as exporters write it: Shape, Gather, Unsqueeze, Concat, Reshape.
  @Test func shapeArithmeticKeepsTheBatchOpen() throws {
    var graph = Graph(name: "g")
    let x = graph.addInput(name: "x", type: ValueType(.float32, [.batch(1), .fixed(4), .fixed(6)]))
    let zero = graph.addConstant(Tensor([0 as Int64], shape: []), name: "zero")
    let axes = graph.addConstant(Tensor([0 as Int64], shape: [1]), name: "axes")
    let rest = graph.addConstant(Tensor([3, -1] as [Int64], shape: [2]), name: "rest")
    let shape = graph.add(.shapeOf(ShapeOf()), name: "shape", inputs: [x])
    let batch = graph.add(.gather(Gather()), name: "batch", inputs: [shape, zero])
    let list = graph.add(.unsqueeze(Unsqueeze()), name: "list", inputs: [batch, axes])
    let target = graph.add(.concat(Concat(axis: 0)), name: "target", inputs: [list, rest])
    let y = graph.add(.reshape(Reshape()), name: "y", inputs: [x, target])
    graph.outputs = [y]
    try graph.inferTypes()
    #expect(graph[y].type == ValueType(.float32, [.batch(1), .fixed(3), .fixed(8)]))
    #expect(graph[target].type == ValueType(.int64, [.fixed(3)]))
    let types = try graph.inferredTypes()
    #expect(types.knownValue(of: target) == nil)
    #expect(types.knownValue(of: rest)?.integers == [3, -1])
  }
}
