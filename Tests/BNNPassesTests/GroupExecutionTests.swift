import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct GroupExecutionTests {
  private func input(_ channels: Int, seed: UInt64 = 9) -> Tensor {
    var numbers = Numbers(seed: seed)
    return Tensor(numbers.uniform(2 * channels * 16), shape: [2, channels, 4, 4])
  }

  @Test(arguments: [false, true])
  func splitConvolutionsBecomeOne(_ signsBehindTheSplit: Bool) throws {
    var numbers = Numbers(seed: 11)
    var b = GraphBuilder()
    let x = b.input([6, 4, 4])
    let s = signsBehindTheSplit ? x : b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), x)
    let parts = (0..<3).map { b.graph.addValue(Value(name: "part\($0)")) }
    b.graph.nodes.append(
      Node(name: "split", op: .split(Split(axis: 1, parts: 3)), inputs: [s], outputs: parts))
    let branches = parts.map { part in
      let sign =
        signsBehindTheSplit ? b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), part) : part
      return b.convolution(sign, weights: numbers.signs(4 * 2 * 9), outputs: 4, channels: 2)
    }
    let before = b.finish(b.node(.concat(Concat(axis: 1)), branches[0], branches[1], branches[2]))
    let (after, _) = try apply([MergeSplitConvolutions()], to: before)
    #expect(operators(after) == ["Binarize", "Conv"])
    guard case .convolution(let merged) = after.nodes[1].op else { return }
    #expect(merged.geometry.groups == 3)
    try expectSameMeaning(before, after, on: input(6))
  }

  @Test func aSplitInAnotherOrderIsLeftAlone() throws {
    var numbers = Numbers(seed: 12)
    var b = GraphBuilder()
    let x = b.input([4, 4, 4])
    let parts = (0..<2).map { b.graph.addValue(Value(name: "part\($0)")) }
    b.graph.nodes.append(
      Node(name: "split", op: .split(Split(axis: 1, parts: 2)), inputs: [x], outputs: parts))
    let branches = parts.reversed().map {
      b.convolution($0, weights: numbers.signs(36), outputs: 2, channels: 2)
    }
    let before = b.finish(b.node(.concat(Concat(axis: 1)), branches[0], branches[1]))
    #expect(operators(try apply([MergeSplitConvolutions()], to: before).graph).contains("Concat"))
  }

  /// Reshape, transpose, reshape: a shuffle of 6 channels in 3 groups.
  private func shuffle(_ x: ValueID, _ b: inout GraphBuilder) -> ValueID {
    let split = b.node(.reshape(Reshape()), x, b.integers([-1, 3, 2, 4, 4]))
    let turned = b.node(.transpose(Transpose(permutation: [0, 2, 1, 3, 4])), split)
    return b.node(.reshape(Reshape()), turned, b.integers([-1, 6, 4, 4]))
  }

  @Test(arguments: [1, 2])
  func aShuffleGoesIntoTheReader(_ groups: Int) throws {
    var numbers = Numbers(seed: 13)
    var b = GraphBuilder()
    let shuffled = shuffle(b.input([6, 4, 4]), &b)
    let thresholds = Thresholds<Float>(
      lower: numbers.uniform(6), upper: .init(repeating: .infinity, count: 6),
      insideIsPlus: [true, false, true, true, false, true])
    let s = b.node(.binarize(Binarize(thresholds: thresholds)), shuffled)
    let before = b.finish(
      b.convolution(
        s, weights: numbers.signs(4 * 6 * 9 / groups), outputs: 4, channels: 6, groups: groups))
    let (after, _) = try apply([FoldChannelShuffles()], to: before)
    // A grouped reader cannot take it over: the shuffle moves bits then.
    #expect(
      operators(after) == (groups == 1 ? ["Binarize", "Conv"] : ["Binarize", "Gather", "Conv"]))
    try expectSameMeaning(before, after, on: input(6))
  }

  @Test func aShuffleGoesIntoTheMaker() throws {
    var numbers = Numbers(seed: 14)
    var b = GraphBuilder()
    let x = b.input([2, 4, 4])
    let bias = b.constant(numbers.uniform(6), [6])
    let y = b.convolution(x, weights: numbers.signs(6 * 2 * 9), outputs: 6, channels: 2, bias: bias)
    let before = b.finish(shuffle(y, &b))
    let (after, _) = try apply([FoldChannelShuffles()], to: before)
    #expect(operators(after) == ["Conv"])
    try expectSameMeaning(before, after, on: input(2))
  }

  @Test func reshapesThatMoveMoreThanChannelsAreLeftAlone() throws {
    var b = GraphBuilder()
    let x = b.input([6, 4, 4])
    let turned = b.node(.transpose(Transpose(permutation: [0, 1, 3, 2])), x)
    let before = b.finish(b.node(.reshape(Reshape()), turned, b.integers([-1, 6, 4, 4])))
    #expect(try apply([FoldChannelShuffles()], to: before).reports[0].outcome.rewrites.isEmpty)
  }

  @Test(arguments: [(2, 3, 1), (4, 1, 2), (3, 5, 2)])
  func blockDiagonalWeightsBecomeGroups(_ groups: Int, _ inputs: Int, _ outputs: Int) throws {
    var numbers = Numbers(seed: 15)
    var b = GraphBuilder()
    let (channels, rows) = (groups * inputs, groups * outputs)
    let x = b.input([channels, 4, 4])
    let s = b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), x)
    var weights: [Float] = []
    for o in 0..<rows {
      for c in 0..<channels {
        weights += o / outputs == c / inputs ? numbers.signs(9) : .init(repeating: 0, count: 9)
      }
    }
    let before = b.finish(b.convolution(s, weights: weights, outputs: rows, channels: channels))
    let (after, _) = try apply([SplitBlockDiagonals(), BinarizeWeights(), PackBits()], to: before)
    guard case .binaryConvolution(let convolution) = after.nodes.last?.op else {
      Issue.record("not binary: \(operators(after))")
      return
    }
    #expect(convolution.geometry.groups == groups)
    try expectSameMeaning(before, after, on: input(channels))
  }
}
