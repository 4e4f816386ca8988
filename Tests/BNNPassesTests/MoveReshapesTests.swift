import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct MoveReshapesTests {
  private func graph(behind: PointwiseFunction?, uses: Int = 1) -> Graph {
    var b = GraphBuilder()
    var x = b.input([2, 3])
    if let behind { x = b.node(.elementwiseUnary(ElementwiseUnary(function: behind)), x) }
    let sign = b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), x)
    let shape = b.graph.addConstant(Tensor([Int64(-1), 6], shape: [2]), name: "shape")
    let flat = b.node(.reshape(Reshape()), sign, shape)
    if uses > 1 { b.graph.outputs.append(sign) }
    return b.finish(flat)
  }

  @Test func anInputIsFlattenedFirst() throws {
    let before = graph(behind: nil)
    let (after, _) = try apply([MoveReshapes()], to: before)
    #expect(operators(after) == ["Reshape", "Binarize"])
    try expectSameMeaning(
      before, after, on: Tensor((0..<12).map { Float($0 % 5) - 2 }, shape: [2, 2, 3]))
  }

  @Test func otherSignsStay() throws {
    #expect(
      operators(try apply([MoveReshapes()], to: graph(behind: .relu)).graph)
        == ["Relu", "Binarize", "Reshape"])
  }
}
