import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct FoldPaddingTests {
  private func graph(value: Float, isSign: Bool) -> Graph {
    var numbers = Numbers(seed: 31)
    var b = GraphBuilder()
    let x = b.input([2, 4, 4])
    let s = isSign ? b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), x) : x
    let pads = b.integers([0, 0, 1, 0, 0, 0, 2, 1])
    let padded = b.node(.pad(Pad()), s, pads, b.scalar(value))
    let w = b.constant(numbers.signs(36), [2, 2, 3, 3])
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: [3, 3]))
    return b.finish(b.node(.convolution(Convolution(geometry: geometry)), padded, w))
  }

  @Test(arguments: [Float(-1), 0, 1])
  func paddingOfSignsIsTakenOver(_ value: Float) throws {
    let before = graph(value: value, isSign: true)
    let (after, _) = try apply([FoldPadding()], to: before)
    #expect(operators(after) == ["Binarize", "Conv"])
    var numbers = Numbers(seed: 32)
    let input = Tensor(numbers.uniform(96), shape: [3, 2, 4, 4])
    try expectSameMeaning(before, after, on: input)
    let packed = try apply([PackBits()], to: after).graph
    try expectSameMeaning(before, packed, on: input)
  }

  @Test func otherPaddingOfNumbersIsLeftAlone() throws {
    #expect(
      operators(try apply([FoldPadding()], to: graph(value: 0, isSign: false)).graph).count == 1)
    let before = graph(value: 1, isSign: false)
    #expect(try apply([FoldPadding()], to: before).reports[0].outcome.rewrites.isEmpty)
    let half = graph(value: 0.5, isSign: true)
    #expect(try apply([FoldPadding()], to: half).reports[0].outcome.rewrites.isEmpty)
  }
}
