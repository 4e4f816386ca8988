import BNNTensor
import Testing

@testable import BNNGraph

/// 16-bit floats are computed in float32, and every operator's result is rounded to their type.
@Suite struct SixteenBitTests {
  private func halves(_ elements: [Float], _ shape: Shape? = nil) -> Tensor {
    Tensor(elements, shape: shape ?? [elements.count], elementType: .float16)
  }
  private func brains(_ elements: [Float]) -> Tensor {
    Tensor(elements, shape: [elements.count], elementType: .bfloat16)
  }

  @Test func sumsAreRounded() throws {
    let add = Op.elementwiseBinary(ElementwiseBinary(kind: .add))
    try expect(
      add, [halves([2048, 2050, 65504]), halves([1, 1, 65504])],
      gives: [halves([2048, 2052, .infinity])])
    try expect(add, [brains([256, 258]), brains([1, 1])], gives: [brains([256, 260])])
  }

  @Test func functionsAreRounded() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .reciprocal)), [halves([3])],
      gives: [halves([0.33325195])])
  }

  @Test func castsRoundToNearestEven() throws {
    try expect(
      .cast(Cast(to: .float16)), [floats([2049, 2051, 1e-8, 1e6, -0.0])],
      gives: [halves([2048, 2052, 0, .infinity, -0.0])])
    try expect(
      .cast(Cast(to: .bfloat16)), [floats([257, 259, .nan])],
      gives: [brains([256, 260, .nan])])
    try expect(
      .cast(Cast(to: .int8)), [halves([-1.5, 1000])], gives: [integers([-1, 127], [2], .int8)])
  }

  @Test func productsAreRoundedOnceAtTheEnd() throws {
    let row = halves([2048, 1, 1], [1, 3])
    try expect(
      .gemm(Gemm(transposeB: true)), [row, halves([1, 1, 1], [1, 3])],
      gives: [halves([2050], [1, 1])])
    let dense = Convolution(geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [])))
    try expect(
      .convolution(dense), [row, halves([1, 1, 1], [1, 3])], gives: [halves([2050], [1, 1])])
    try expect(
      .reduce(Reduce(kind: .sum)), [row, integers([1])], gives: [halves([2050], [1, 1])])
  }

  @Test func clippingWithoutLimitsStaysFinite() throws {
    try expect(.clip(Clip()), [halves([.infinity, 1])], gives: [halves([65504, 1])])
    try expect(.clip(Clip()), [brains([-.infinity])], gives: [brains([-0x1.fep127])])
  }

  /// 2047 · 1.5 + 0.75 is 3071.25; rounding the product alone would lose the last step.
  @Test func batchNormalizationIsRoundedOnce() throws {
    try expect(
      .batchNormalization(BatchNormalization(epsilon: 0)),
      [halves([2047], [1, 1]), halves([1.5]), halves([0.75]), halves([0]), halves([1])],
      gives: [halves([3072], [1, 1])])
  }
}

/// Numbers of uint64 beyond Int64 are kept by bit pattern.
@Suite struct Unsigned64Tests {
  private let large = integers([-1, 1], [2], .uint64)
  private let two = integers([2, 2], [2], .uint64)

  @Test func comparesAsUnsigned() throws {
    try expect(
      .comparison(Comparison(kind: .greater)), [large, two], gives: [bools([true, false])])
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .maximum)), [large, two],
      gives: [integers([-1, 2], [2], .uint64)])
    try expect(
      .clip(Clip()), [large, nil, integers([2], [], .uint64)],
      gives: [integers([2, 1], [2], .uint64)])
  }

  @Test func dividesAsUnsigned() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .divide)), [large, two],
      gives: [integers([.max, 0], [2], .uint64)])
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .remainder)), [large, two],
      gives: [integers([1, 1], [2], .uint64)])
  }

  @Test func castsAsUnsigned() throws {
    try expect(.cast(Cast(to: .float32)), [large], gives: [floats([0x1p64, 1])])
    try expect(
      .cast(Cast(to: .uint64)), [floats([0x1p63, -3, 1e30])],
      gives: [integers([.min, 0, -1], [3], .uint64)])
  }
}
