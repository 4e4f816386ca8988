import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct EliminateIdentitiesTests {
  @Test func whatChangesNothingGoes() throws {
    var b = GraphBuilder()
    let x = b.input([2, 3])
    var y = b.node(.identity(Identity()), x)
    y = b.node(.cast(Cast(to: .float32)), y)
    y = b.node(.cast(Cast(to: .float32)), b.node(.cast(Cast(to: .float64)), y))
    y = b.node(.transpose(Transpose(permutation: [0, 1, 2])), y)
    y = b.node(.pad(Pad()), y, b.integers([0, 0, 0, 0, 0, 0]))
    y = b.node(.reshape(Reshape()), y, b.integers([-1, 2, 3]))
    y = b.binary(.multiply, y, b.scalar(1))
    y = b.node(
      .squeeze(Squeeze()), b.node(.unsqueeze(Unsqueeze()), y, b.integers([3])), b.integers([3]))
    y = b.node(.concat(Concat(axis: 1)), y)
    let before = b.finish(b.sign(y))
    let (after, _) = try apply([EliminateIdentities()], to: before)
    #expect(operators(after) == ["Sign"])
    try expectSameMeaning(
      before, after, on: Tensor([Float](repeating: -1, count: 6), shape: [1, 2, 3]))
  }

  @Test func aRoundTripThroughANarrowTypeStays() throws {
    var b = GraphBuilder()
    let x = b.input([2])
    let half = b.node(.cast(Cast(to: .float16)), x)
    let before = b.finish(b.node(.cast(Cast(to: .float32)), half))
    #expect(operators(try apply([EliminateIdentities()], to: before).graph) == ["Cast", "Cast"])
  }

  @Test func expandedConstantsAreCollapsed() throws {
    var b = GraphBuilder()
    let x = b.input([2, 3])
    let shape = b.node(.shapeOf(ShapeOf()), x)
    let ones = b.node(
      .constantOfShape(ConstantOfShape(value: Tensor([Float(1)], shape: [1]))), shape)
    let minus = b.node(.elementwiseUnary(ElementwiseUnary(function: .negate)), ones)
    let condition = b.node(.comparison(Comparison(kind: .less)), x, b.scalar(0))
    let full = b.constant([1, 1, 1, 5, 5, 5], [1, 2, 3])
    let chosen = b.node(.select(Where()), condition, minus, ones)
    let before = b.finish(b.binary(.add, chosen, full))
    let (after, _) = try apply(
      [FoldConstants(), EliminateIdentities(), FoldConstants()], to: before)
    #expect(operators(after) == ["Less", "Where", "Add"])
    let last = try #require(after.nodes.last)
    #expect(last.input(1).flatMap { after[$0].constant }?.shape == [1, 2, 1])
    try expectSameMeaning(
      before, after, on: Tensor([Float(1), -1, 0, 2, -2, 3], shape: [1, 2, 3]))
  }

  @Test func aModelThatIsItsInputStays() throws {
    var b = GraphBuilder()
    let before = b.finish(b.node(.identity(Identity()), b.input([2])))
    #expect(operators(try apply([EliminateIdentities()], to: before).graph) == ["Identity"])
  }

  @Test func shapeArithmeticKeepsTheBatchOpen() throws {
    var b = GraphBuilder()
    let x = b.input([2, 3])
    let shape = b.node(.shapeOf(ShapeOf()), x)
    let batch = b.node(.gather(Gather(axis: 0)), shape, b.integers([0]))
    let target = b.node(.concat(Concat(axis: 0)), batch, b.integers([-1]))
    let before = b.finish(b.node(.reshape(Reshape()), x, target))
    let (after, _) = try apply([FoldConstants(), EliminateIdentities()], to: before)
    #expect(operators(after) == ["Reshape"])
    #expect(after[after.outputs[0]].type?.dimensions == [.batch(1), .fixed(6)])
    try expectSameMeaning(
      before, after, on: Tensor([Float](repeating: 2, count: 30), shape: [5, 2, 3]))
  }
}
