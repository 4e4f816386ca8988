import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct NarrowAdditionsTests {
  private func pad(
    _ b: inout GraphBuilder, _ x: ValueID, _ before: Int64, _ after: Int64, axis: Int = 1,
    fill: Float? = nil
  ) -> ValueID {
    var pads = [Int64](repeating: 0, count: 8)
    (pads[axis], pads[axis + 4]) = (before, after)
    return b.node(.pad(Pad()), x, b.integers(pads), fill.map { b.scalar($0) })
  }

  private func slice(_ b: inout GraphBuilder, _ x: ValueID, _ range: Range<Int64>) -> ValueID {
    b.node(
      .slice(Slice()), x, b.integers([range.lowerBound]), b.integers([range.upperBound]),
      b.integers([1]))
  }

  private func function(_ b: inout GraphBuilder, _ x: ValueID) -> ValueID {
    b.node(.elementwiseUnary(ElementwiseUnary(function: .tanh)), x)
  }

  private let input = Tensor((0..<48).map { Float($0 % 7) - 2.5 }, shape: [2, 6, 2, 2])

  @Test func theLastPieceOfAConcatenationIsAddedTo() throws {
    var b = GraphBuilder()
    let x = b.input([6, 2, 2])
    let joined = b.node(.concat(Concat(axis: 1)), x, function(&b, x), x)
    let sum = b.binary(.add, joined, pad(&b, b.sign(x), 12, 0))
    let before = b.finish(sum)
    let (after, _) = try apply([NarrowAdditions()], to: before)
    #expect(operators(after).sorted() == ["Add", "Concat", "Concat", "Sign", "Tanh"])
    try expectSameMeaning(before, after, on: input)
  }

  @Test func otherValuesAreSliced() throws {
    var b = GraphBuilder()
    let x = b.input([6, 2, 2])
    let part = slice(&b, function(&b, x), 0..<3)
    let before = b.finish(
      b.binary(.add, pad(&b, part, 2, 1, fill: 0), b.sign(x)),
      b.binary(.add, pad(&b, part, 0, 3), b.sign(x)))
    let (after, _) = try apply([NarrowAdditions()], to: before)
    #expect(!operators(after).contains("Pad"))
    try expectSameMeaning(before, after, on: input)
  }

  @Test func otherPaddingStays() throws {
    for (axis, fill) in [(1, Float(1)), (2, 0.5)] {
      var b = GraphBuilder()
      let x = b.input([6, 2, 2])
      let wide = pad(&b, x, 1, 1, axis: axis)
      let before = b.finish(b.binary(.add, wide, pad(&b, x, 1, 1, axis: axis, fill: fill)))
      let (after, _) = try apply([NarrowAdditions()], to: before)
      #expect(operators(after).contains("Pad"))
      try expectSameMeaning(before, after, on: input)
    }
    // Broadcast, and read by another.
    var b = GraphBuilder()
    let x = b.input([6, 2, 2])
    let wide = pad(&b, x, 1, 0)
    let narrow = b.node(
      .reduce(Reduce(kind: .mean, keepDimensions: true)), wide, b.integers([2, 3]))
    let before = b.finish(b.binary(.add, wide, narrow))
    #expect(operators(try apply([NarrowAdditions()], to: before).graph) == operators(before))
  }

  @Test func slicesOfConcatenationsAreTheirOperands() throws {
    var b = GraphBuilder()
    let x = b.input([6, 2, 2])
    let inner = b.node(.concat(Concat(axis: -3)), b.sign(x), function(&b, x))
    let joined = b.node(.concat(Concat(axis: 1)), x, inner, x)
    let before = b.finish(
      slice(&b, joined, 6..<18), slice(&b, joined, 12..<18), slice(&b, joined, -12 ..< -6),
      slice(&b, joined, 12..<24), slice(&b, joined, 5..<12))
    let (after, _) = try apply([NarrowAdditions()], to: before)
    #expect(operators(after).count { $0 == "Slice" } == 2)
    try expectSameMeaning(before, after, on: input)
  }
}
