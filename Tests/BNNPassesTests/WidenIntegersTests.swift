import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct WidenIntegersTests {
  private let input = Tensor([Float(-3.5), 0.4, 254.5, 700, .infinity, -0.0], shape: [2, 3])

  @Test(arguments: [ElementType.uint8, .int8, .int16, .uint16])
  func quantizedValuesBetweenCasts(_ type: ElementType) throws {
    var b = GraphBuilder()
    let narrow = b.node(.cast(Cast(to: type)), b.input([3]))
    let moved = b.node(.transpose(Transpose(permutation: [1, 0])), narrow)
    let before = b.finish(b.node(.cast(Cast(to: .float32)), moved))
    let (after, reports) = try apply([WidenIntegers()], to: before)
    #expect(operators(after) == ["Clip", "Cast", "Transpose", "Cast"])
    #expect(reports[0].outcome.rewrites.count == 1)
    #expect(after.values.allSatisfy { $0.type?.elementType != type })
    try expectSameMeaning(before, after, on: input)
  }

  @Test func narrowConstantsBecomeWide() throws {
    var b = GraphBuilder()
    let weights = b.graph.addConstant(
      Tensor([Int64(-128), 127, 3], shape: [3], elementType: .int8), name: "w")
    let before = b.finish(
      b.binary(.multiply, b.node(.cast(Cast(to: .float32)), weights), b.input([3])))
    let (after, _) = try apply([WidenIntegers()], to: before)
    #expect(after.values.contains { $0.constant?.elementType == .int32 })
    try expectSameMeaning(before, after, on: Tensor([Float(-3.5), 0.4, 254.5], shape: [1, 3]))
  }

  @Test func arithmeticThatWrapsAroundStays() throws {
    var b = GraphBuilder()
    let narrow = b.node(.cast(Cast(to: .uint8)), b.input([3]))
    let before = b.finish(b.node(.cast(Cast(to: .float32)), b.binary(.add, narrow, narrow)))
    let (after, reports) = try apply([WidenIntegers()], to: before)
    #expect(reports[0].outcome.rewrites.isEmpty)
    #expect(after == (try apply([], to: before).graph))
  }

  private let bytes = Tensor(
    [Int64(0), 3, 127, 128, 200, 255], shape: [2, 3], elementType: .uint8)

  @Test func imagesOfBytesBecomeRealInputs() throws {
    var b = GraphBuilder()
    let moved = b.node(
      .transpose(Transpose(permutation: [1, 0])), b.input([3], elementType: .uint8))
    let before = b.finish(b.node(.cast(Cast(to: .float32)), moved))
    let (after, reports) = try apply([WidenIntegers(), EliminateIdentities()], to: before)
    #expect(operators(after) == ["Transpose"])
    #expect(reports[0].outcome.rewrites.count == 1)
    #expect(after.inputs.map { after[$0].type?.elementType } == [.float32])
    try expectSameMeaning(before, after, on: bytes, as: Tensor(bytes.floats, shape: bytes.shape))
  }

  @Test func otherInputsBecomeWide() throws {
    var b = GraphBuilder()
    let x = b.input([3], elementType: .uint8)
    let before = b.finish(
      b.node(.cast(Cast(to: .float32)), x), b.node(.cast(Cast(to: .int64)), x))
    let (after, _) = try apply([WidenIntegers()], to: before)
    #expect(after.inputs.map { after[$0].type?.elementType } == [.int32])
    let wide = Tensor(bytes.integers, shape: bytes.shape, elementType: .int32)
    try expectSameMeaning(before, after, on: bytes, as: wide)
  }

  @Test func inputsThatAreResultsStay() throws {
    var b = GraphBuilder()
    let x = b.input([3], elementType: .uint8)
    let before = b.finish(b.node(.transpose(Transpose(permutation: [1, 0])), x))
    let (after, _) = try apply([WidenIntegers()], to: before)
    #expect(after.inputs.map { after[$0].type?.elementType } == [.uint8])
  }
}
