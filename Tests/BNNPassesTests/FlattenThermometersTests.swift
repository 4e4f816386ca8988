import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct FlattenThermometersTests {
  private static let passes: [any Pass] = [
    FoldConstants(), EliminateIdentities(), FlattenThermometers(), CanonicalizeSigns(),
    CanonicalizeProducts(),
  ]

  /// FracBNN's input: [N, C, H, W] to [N, C, 1, H, W], compared with a table, made channels.
  private func thermometer(table: [Float], _ shape: Shape, levels: Int) -> Graph {
    var b = GraphBuilder()
    let x = b.binary(.multiply, b.input([3, 2, 2]), b.scalar(4))
    let wide = b.node(.reshape(Reshape()), x, b.integers([-1, 3, 1, 2, 2]))
    let test = b.node(
      .comparison(Comparison(kind: .less)), b.constant(table, shape), wide)
    let mask = b.node(.cast(Cast(to: .float32)), test)
    let signs = b.binary(.subtract, b.binary(.multiply, mask, b.scalar(2)), b.scalar(1))
    return b.finish(
      b.node(.reshape(Reshape()), signs, b.integers([-1, Int64(3 * levels), 2, 2])))
  }

  private let input = Tensor((0..<24).map { Float($0) / 24 }, shape: [2, 3, 2, 2])

  @Test func levelsForAllChannels() throws {
    let before = thermometer(table: [0, 1, 2, 3], [1, 1, 4, 1, 1], levels: 4)
    let (after, _) = try apply(Self.passes, to: before)
    #expect(operators(after) == ["Mul", "Gather", "Binarize"])
    try expectSameMeaning(before, after, on: input)
  }

  @Test func levelsOfEachChannelAndFullSize() throws {
    let table = (0..<3).flatMap { c in (0..<2).flatMap { l in (0..<4).map { _ in Float(c + l) } } }
    let before = thermometer(table: table, [1, 3, 2, 2, 2], levels: 2)
    let (after, _) = try apply(Self.passes, to: before)
    #expect(operators(after) == ["Mul", "Gather", "Binarize"])
    try expectSameMeaning(before, after, on: input)
  }

  @Test func oneChannelAgainstManyLevels() throws {
    var b = GraphBuilder()
    let shifted = b.binary(
      .subtract, b.input([1, 3, 3]), b.constant([0, 0.25, 0.5, 0.75], [4, 1, 1]))
    let before = b.finish(b.sign(shifted))
    let (after, _) = try apply(Self.passes, to: before)
    #expect(operators(after) == ["Gather", "Sub", "Binarize"])
    try expectSameMeaning(
      before, after, on: Tensor((0..<9).map { Float($0) / 9 + 0.01 }, shape: [1, 1, 3, 3]))
  }

  @Test func otherBroadcastsAreLeftAlone() throws {
    // The table differs along the width.
    var b = GraphBuilder()
    let x = b.input([1, 2, 2])
    let test = b.node(
      .comparison(Comparison(kind: .less)), x, b.constant([0, 1, 2, 3], [2, 1, 2]))
    let before = b.finish(b.node(.cast(Cast(to: .float32)), test))
    let (after, reports) = try apply([FlattenThermometers()], to: before)
    #expect(reports[0].outcome.rewrites.isEmpty)
    #expect(operators(after) == ["Less", "Cast"])
  }
}
