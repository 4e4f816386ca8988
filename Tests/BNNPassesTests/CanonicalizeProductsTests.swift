import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct CanonicalizeProductsTests {
  private func numbers(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var numbers = Numbers(seed: seed)
    return numbers.uniform(count)
  }

  @Test(arguments: [false, true])
  func gemmBecomesAConvolution(_ transposeB: Bool) throws {
    var b = GraphBuilder()
    let x = b.input([5])
    let w = b.constant(numbers(15), transposeB ? [3, 5] : [5, 3])
    let gemm = Gemm(beta: 0.5, transposeB: transposeB)
    let before = b.finish(b.node(.gemm(gemm), x, w, b.constant([1, 2, 3], [1, 3])))
    let (after, _) = try apply([CanonicalizeProducts()], to: before)
    #expect(operators(after) == ["Conv"])
    try expectSameMeaning(
      before, after, on: Tensor(numbers(20, seed: 2), shape: [4, 5]), tolerance: 1e-6)
  }

  @Test func aFactorStaysBehindTheProduct() throws {
    var b = GraphBuilder()
    let before = b.finish(
      b.node(.gemm(Gemm(alpha: 3)), b.input([5]), b.constant(numbers(15), [5, 3])))
    let (after, _) = try apply([CanonicalizeProducts()], to: before)
    #expect(operators(after) == ["Conv", "Mul"])
    try expectSameMeaning(
      before, after, on: Tensor(numbers(20, seed: 2), shape: [4, 5]), tolerance: 1e-6)
  }

  @Test func theBiasIsAddedBehindTheFactor() throws {
    var b = GraphBuilder()
    let before = b.finish(
      b.node(
        .gemm(Gemm(alpha: 0.5, beta: -2)), b.input([5]), b.constant(numbers(15), [5, 3]),
        b.constant([1, 2, 3], [3])))
    let (after, _) = try apply([CanonicalizeProducts()], to: before)
    #expect(operators(after) == ["Conv", "Mul", "Add"])
    try expectSameMeaning(
      before, after, on: Tensor(numbers(20, seed: 2), shape: [4, 5]), tolerance: 1e-6)
  }

  /// With one channel, parameters have one element, like those that fit any shape.
  @Test func parametersOfOneChannelStayWithIt() throws {
    var b = GraphBuilder()
    let wide = b.node(.reshape(Reshape()), b.input([2]), b.integers([0, 1, 2, 1]))
    let y = b.normalization(wide, gamma: [2], beta: [1], mean: [0.5], variance: [4])
    let before = b.finish(y)
    let (after, _) = try apply([CanonicalizeProducts()], to: before)
    #expect(operators(after) == ["Reshape", "BatchNormalization"])
    try expectSameMeaning(before, after, on: Tensor(numbers(6), shape: [3, 2]))
  }

  @Test func aBlockOfSeveralChannelsStaysBehindAReshape() throws {
    var b = GraphBuilder()
    let wide = b.node(.reshape(Reshape()), b.input([4]), b.integers([0, 2, 2]))
    let step = PointwiseStep.slopes(positive: [1, 2], negative: [0.5, -1])
    let before = b.finish(
      b.node(.block(Block(core: .pointwise, epilogue: Epilogue(steps: [step]))), wide))
    let (after, _) = try apply([CanonicalizeProducts()], to: before)
    #expect(operators(after) == ["Reshape", "Block"])
    try expectSameMeaning(before, after, on: Tensor(numbers(12), shape: [3, 4]))
  }

  @Test func aProductOfAFlattenedMapIsAConvolutionOverTheMap() throws {
    var b = GraphBuilder()
    let x = b.input([3, 2, 2])
    let flat = b.node(.flatten(Flatten()), x)
    let before = b.finish(b.node(.matMul(MatMul()), flat, b.constant(numbers(48), [12, 4])))
    let (after, _) = try apply([EliminateIdentities(), CanonicalizeProducts()], to: before)
    #expect(operators(after) == ["Conv", "Reshape"])
    try expectSameMeaning(
      before, after, on: Tensor(numbers(24, seed: 2), shape: [2, 3, 2, 2]), tolerance: 1e-6)
  }

  @Test func normalizationBetweenSqueezesIsFound() throws {
    var b = GraphBuilder()
    let x = b.input([4])
    let y = b.node(.matMul(MatMul()), x, b.constant(numbers(16), [4, 4]))
    let wide = b.node(.unsqueeze(Unsqueeze()), y, b.integers([2]))
    let normal = b.normalization(
      wide, gamma: numbers(4, seed: 3), beta: numbers(4, seed: 4), mean: numbers(4, seed: 5),
      variance: [1, 2, 3, 4])
    let narrow = b.node(.squeeze(Squeeze()), normal, b.integers([2]))
    let before = b.finish(b.sign(narrow))
    let (after, _) = try apply([EliminateIdentities(), CanonicalizeProducts()], to: before)
    #expect(operators(after) == ["Conv", "BatchNormalization", "Sign"])
    try expectSameMeaning(before, after, on: Tensor(numbers(12, seed: 2), shape: [3, 4]))
  }

}
