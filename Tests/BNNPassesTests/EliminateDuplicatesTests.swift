import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct EliminateDuplicatesTests {
  @Test func equalNodesOnEqualConstantsAreOne() throws {
    var b = GraphBuilder()
    let x = b.input([3])
    let a = b.sign(b.binary(.add, x, b.scalar(0.5)))
    let c = b.sign(b.binary(.add, x, b.scalar(0.5)))
    let before = b.finish(b.binary(.multiply, a, c))
    let (after, reports) = try apply([EliminateDuplicates()], to: before)
    #expect(operators(after) == ["Add", "Sign", "Mul"])
    #expect(reports[0].outcome.rewrites.map(\.node) == ["Add_2", "Sign_3"])
    try expectSameMeaning(before, after, on: Tensor([Float(-0.5), 1, -2], shape: [1, 3]))
  }

  @Test func whatDiffersStays() throws {
    var b = GraphBuilder()
    let x = b.input([3])
    let (a, c) = (b.binary(.add, x, b.scalar(0.5)), b.binary(.add, x, b.scalar(0.25)))
    let (d, e) = (b.binary(.subtract, x, a), b.binary(.subtract, a, x))
    let before = b.finish(b.binary(.add, b.binary(.add, c, d), e))
    #expect(try apply([EliminateDuplicates()], to: before).graph == apply([], to: before).graph)
  }

  @Test func outputsKeepTheirNodes() throws {
    var b = GraphBuilder()
    let x = b.input([3])
    let before = b.finish(b.sign(x), b.sign(x))
    let (after, _) = try apply([EliminateDuplicates()], to: before)
    #expect(after.outputs.count == 2 && after.outputs[0] != after.outputs[1])
  }
}

struct ComputeInFloat32Tests {
  @Test(arguments: [ElementType.float16, .bfloat16, .float64])
  func castsAndConstantsBecomeFloat32(_ type: ElementType) throws {
    var b = GraphBuilder()
    let x = b.input([2])
    let constant = b.graph.addConstant(
      type == .float64
        ? Tensor([1.5, -0.25], shape: [2])
        : Tensor([Float(1.5), -0.25], shape: [2], elementType: type), name: "c")
    let inner = b.binary(.multiply, b.node(.cast(Cast(to: type)), x), constant)
    let before = b.finish(b.node(.cast(Cast(to: .float32)), inner))
    let (after, reports) = try apply([ComputeInFloat32(), EliminateIdentities()], to: before)
    #expect(operators(after) == ["Mul"])
    #expect(reports[0].outcome.findings == [.computedInFloat32(type)])
    try expectSameMeaning(before, after, on: Tensor([Float(3), 0.5], shape: [1, 2]))
  }

  @Test func float32IsLeftAlone() throws {
    var b = GraphBuilder()
    let before = b.finish(b.sign(b.input([2])))
    let (after, reports) = try apply([ComputeInFloat32()], to: before)
    #expect(after == before || operators(after) == ["Sign"])
    #expect(reports[0].outcome == PassOutcome())
  }
}
