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

  /// Every other channel, the channels of one group, and all channels.
  @Test(arguments: [[3], [0, 5, 6], [0, 1, 2, 3, 4, 5, 6, 7]], [1, 2, 4])
  func singleZerosContributeNothing(_ channels: [Int], _ groups: Int) throws {
    var numbers = Numbers(seed: 6)
    let each = 4 / groups * 9
    var weights = numbers.signs(8 * each, scale: 0.5)
    for channel in channels { weights[channel * each + numbers.generator.nextIndex(each)] = 0 }
    var b = GraphBuilder()
    let s = b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), b.input([4, 5, 5]))
    let before = b.finish(
      b.convolution(s, weights: weights, outputs: 8, channels: 4, groups: groups))
    let (after, reports) = try apply([BinarizeWeights(), PackBits()], to: before)
    #expect(operators(after).filter { $0 == "BinaryConvolution" }.count == 2)
    #expect(keptFloat(reports).isEmpty)
    try expectSameMeaning(before, after, on: Tensor(numbers.uniform(200), shape: [2, 4, 5, 5]))
  }

  @Test func singleZerosKeepALayerOfRealsFloat() throws {
    var numbers = Numbers(seed: 6)
    var weights = numbers.signs(18)
    weights[4] = 0
    let before = graph(weights: weights, isBinaryInput: false)
    let (after, reports) = try apply([BinarizeWeights()], to: before)
    #expect(operators(after) == operators(before) && reports[0].outcome.rewrites.isEmpty)
    #expect(keptFloat(reports).first?.contains("some weights are 0") == true)
  }

  /// SBNN: weights of α and β; dyadic numbers, so that float32 is exact.
  @Test(arguments: [1, 2], [[Float(0), 1], [-0.25, 0.5], [1, 1.5], [-2, -1]])
  func twoValuesAreASignAndAnOffset(_ groups: Int, _ domain: [Float]) throws {
    var numbers = Numbers(seed: 9)
    let weights = numbers.signs(8 * (4 / groups) * 9).map { $0 > 0 ? domain[1] : domain[0] }
    var b = GraphBuilder()
    let s = b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), b.input([4, 5, 5]))
    let bias = b.constant(numbers.integers(8, -4...4), [8])
    let before = b.finish(
      b.convolution(s, weights: weights, outputs: 8, channels: 4, groups: groups, bias: bias))
    let (after, reports) = try apply([BinarizeWeights(), PackBits()], to: before)
    // The second one is the sum of the input under the window.
    #expect(operators(after).filter { $0 == "BinaryConvolution" }.count == 2)
    #expect(keptFloat(reports).isEmpty)
    try expectSameMeaning(before, after, on: Tensor(numbers.uniform(200), shape: [2, 4, 5, 5]))
  }

  @Test func fewWeightsWithTwoValuesAreReal() throws {
    // Two weights per output always have two values.
    var b = GraphBuilder()
    let s = b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), b.input([2, 3, 3]))
    let before = b.finish(
      b.convolution(s, weights: [0.5, 2, -1, 3], outputs: 2, channels: 2, kernel: 1))
    let (after, reports) = try apply([BinarizeWeights()], to: before)
    #expect(operators(after) == ["Binarize", "Conv"])
    #expect(keptFloat(reports).count == 1)
  }

  @Test func repeatedKernelsAreReported() throws {
    var numbers = Numbers(seed: 10)
    let book = (0..<3).map { _ in numbers.signs(9) }
    let weights = (0..<32).flatMap { _ in book[numbers.generator.nextIndex(3)] }
    var b = GraphBuilder()
    let s = b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), b.input([4, 5, 5]))
    let before = b.finish(b.convolution(s, weights: weights, outputs: 8, channels: 4))
    let found = try apply([BinarizeWeights()], to: before).reports[0].outcome.findings
    #expect(found == [.codebook(node: "Conv_1", kernels: 3, of: 32)])
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
