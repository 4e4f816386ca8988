import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct CanonicalizePoolingTests {
  private func mean(_ dimensions: [Int], axes: [Int64], keep: Bool) -> Graph {
    var b = GraphBuilder()
    let x = b.input(dimensions)
    let reduce = Reduce(kind: .mean, keepDimensions: keep)
    return b.finish(b.node(.reduce(reduce), x, b.integers(axes)))
  }

  @Test(arguments: [true, false]) func meansOverAllPositionsArePools(keep: Bool) throws {
    let before = mean([3, 4, 5], axes: [-1, 2], keep: keep)
    let (after, _) = try apply([CanonicalizePooling()], to: before)
    #expect(operators(after) == (keep ? ["GlobalAveragePool"] : ["GlobalAveragePool", "Reshape"]))
    try expectSameMeaning(
      before, after, on: Tensor((0..<120).map { Float($0 % 11) }, shape: [2, 3, 4, 5]))
  }

  @Test func otherMeansStay() throws {
    for (dimensions, axes) in [([3, 4, 5], [2]), ([3, 4, 5], [1, 2, 3]), ([1, 1 << 20], [2])] {
      let before = mean(dimensions, axes: axes.map { Int64($0) }, keep: true)
      let (after, _) = try apply([CanonicalizePooling()], to: before)
      #expect(operators(after) == ["ReduceMean"])
    }
  }
}
