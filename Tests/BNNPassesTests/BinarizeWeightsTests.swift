import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct BinarizeWeightsTests {
  private func graph(weights: [Float], outputs: Int = 2, isBinaryInput: Bool = true) -> Graph {
    var b = GraphBuilder()
    let x = b.input([1, 5, 5])
    let bias = b.constant([0.5, -0.25], [2])
    let s = isBinaryInput ? b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), x) : x
    return b.finish(
      b.convolution(s, weights: weights, outputs: outputs, channels: 1, bias: bias))
  }

  private func input() -> Tensor {
    var numbers = Numbers(seed: 5)
    return Tensor(numbers.uniform(50), shape: [2, 1, 5, 5])
  }

  private func keptFloat(_ reports: [PassReport]) -> [String] {
    reports.flatMap(\.outcome.findings).compactMap { finding in
      if case .keptFloat(_, let reason) = finding { reason } else { nil }
    }
  }

  @Test func scalesAreFactoredOut() throws {
    var numbers = Numbers(seed: 1)
    let before = graph(weights: numbers.signs(9, scale: 0.25) + numbers.signs(9, scale: 3))
    let (after, reports) = try apply([BinarizeWeights()], to: before)
    #expect(operators(after) == ["Binarize", "Conv", "Mul", "Add"])
    #expect(keptFloat(reports).isEmpty)
    try expectSameMeaning(before, after, on: input())
  }

  @Test func exactSignsNeedNoScale() throws {
    var numbers = Numbers(seed: 2)
    let (after, _) = try apply([BinarizeWeights()], to: graph(weights: numbers.signs(18)))
    #expect(operators(after) == ["Binarize", "Conv", "Add"])
  }

  @Test func residueIsRemovedAndReported() throws {
    var numbers = Numbers(seed: 3)
    let weights = numbers.signs(18, scale: 0.1).map { $0 * (1 + ($0 > 0 ? 1e-6 : 0)) }
    let (after, reports) = try apply([BinarizeWeights()], to: graph(weights: weights))
    #expect(operators(after).contains("Mul"))
    let residues = reports[0].outcome.findings.compactMap { finding -> Float? in
      if case .removedResidue(_, let relative) = finding { relative } else { nil }
    }
    #expect(residues.count == 1 && residues[0] > 0 && residues[0] < 1e-5)
  }

  @Test func aChannelOfZerosHasScaleZero() throws {
    var numbers = Numbers(seed: 4)
    let before = graph(weights: numbers.signs(9) + .init(repeating: 0, count: 9))
    let (after, reports) = try apply([BinarizeWeights()], to: before)
    #expect(keptFloat(reports).isEmpty)
    try expectSameMeaning(before, after, on: input())
  }

  @Test func singleZerosKeepTheLayerFloat() throws {
    var numbers = Numbers(seed: 6)
    var weights = numbers.signs(18)
    weights[4] = 0
    let before = graph(weights: weights)
    let (after, reports) = try apply([BinarizeWeights()], to: before)
    #expect(operators(after) == operators(before) && reports[0].outcome.rewrites.isEmpty)
    #expect(keptFloat(reports).first?.contains("exactly 0") == true)
  }

  @Test func realWeightsAndRealInputsAreExplained() throws {
    var numbers = Numbers(seed: 7)
    let real = try apply([BinarizeWeights()], to: graph(weights: numbers.uniform(18)))
    #expect(
      keptFloat(real.reports) == ["its weights are not ±α: output channel 0 has 9 magnitudes"])
    let input = try apply(
      [BinarizeWeights()], to: graph(weights: numbers.signs(18), isBinaryInput: false))
    #expect(
      keptFloat(input.reports) == ["its input is not a sign: it is the model's input 'x'"])
  }

  @Test func packedWeightsHaveChannelsLast() throws {
    let weights = Tensor((0..<8).map { $0 % 3 == 0 ? 1 : -1 }, shape: [1, 2, 2, 2])
    let packed = try #require(PackedTensor(signs: weights))
    #expect(packed.shape == [1, 2, 2, 2])
    // Element (tap, channel) is element (channel, tap) of the source.
    for tap in 0..<4 {
      for channel in 0..<2 {
        #expect(packed[tap * 2 + channel] == ((channel * 4 + tap) % 3 == 0))
      }
    }
    #expect(PackedTensor(signs: Tensor([1, 0.5], shape: [1, 2])) == nil)
  }

  @Test func packedConvolutionsMeanTheSame() throws {
    var numbers = Numbers(seed: 8)
    for isBinary in [true, false] {
      let before = graph(weights: numbers.signs(18), isBinaryInput: isBinary)
      let (after, _) = try apply([BinarizeWeights(), PackBits()], to: before)
      #expect(operators(after).contains("BinaryConvolution") == isBinary)
      try expectSameMeaning(before, after, on: input(), tolerance: isBinary ? 0 : 1e-6)
    }
  }
}
