import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct MatrixProductTests {
  @Test func gemm() throws {
    try expect(
      .gemm(Gemm()),
      [ramp([2, 3]), ramp([3, 2])],
      gives: [floats([9, -10, 9, -9], [2, 2])])
  }

  @Test func gemmTransposedWithBias() throws {
    try expect(
      .gemm(Gemm(transposeA: true, transposeB: true)),
      [ramp([3, 2]), ramp([4, 3]), floats([1, 2, 3, 4])],
      gives: [floats([10, 11, 12, 13, -9, -7, 9, 11], [2, 4])])
  }

  @Test func gemmScaled() throws {
    try expect(
      .gemm(Gemm(alpha: 0.5, beta: 2, transposeB: true)),
      [ramp([2, 3]), ramp([2, 3]), floats([1, 2], [2, 1])],
      gives: [floats([8.5, 8, 10, 11], [2, 2])])
  }

  @Test func gemmScalarBias() throws {
    try expect(
      .gemm(Gemm()),
      [ramp([2, 2]), ramp([2, 2]), floats([7], [])],
      gives: [floats([16, -3, 7, 11], [2, 2])])
  }

  @Test func gemmOfIntegersWraps() throws {
    try expect(
      .gemm(Gemm()),
      [integers([1073741824, 2], [1, 2], .int32), integers([2, 5], [2, 1], .int32)],
      gives: [integers([-2147483638], [1, 1], .int32)])
  }

  @Test func matMulMatrices() throws {
    try expect(
      .matMul(MatMul()),
      [ramp([2, 3]), ramp([3, 4])],
      gives: [floats([15, -4, -2, 0, 17, -1, -5, -2], [2, 4])])
  }

  @Test func matMulVectorMatrix() throws {
    try expect(
      .matMul(MatMul()),
      [ramp([3]), ramp([3, 2])],
      gives: [floats([9, -10])])
  }

  @Test func matMulMatrixVector() throws {
    try expect(
      .matMul(MatMul()),
      [ramp([2, 3]), ramp([3])],
      gives: [floats([13, 12])])
  }

  @Test func matMulVectors() throws {
    try expect(
      .matMul(MatMul()),
      [ramp([3]), ramp([3])],
      gives: [floats([13], [])])
  }

  @Test func matMulStacksBroadcast() throws {
    try expect(
      .matMul(MatMul()),
      [ramp([2, 1, 2, 3]), ramp([3, 3, 2])],
      gives: [
        floats(
          [9, -10, 9, -9, 7, 9, 6, 9, -9, 7, -11, 6, 9, 6, 9, 7, -9, 9, -10, 9, 8, -9, 6, -10],
          [2, 3, 2, 2])
      ])
  }

  @Test func matMulStackTimesVector() throws {
    try expect(
      .matMul(MatMul()),
      [ramp([2, 2, 3]), ramp([3])],
      gives: [floats([13, 12, -3, -4], [2, 2])])
  }

  @Test func matMulIntegers() throws {
    try expect(
      .matMul(MatMul()),
      [integers([1, 2, 3, 4], [2, 2], .int32), integers([5, 6, 7, 8], [2, 2], .int32)],
      gives: [integers([19, 22, 43, 50], [2, 2], .int32)])
  }

  @Test func matMulDoubles() throws {
    try expect(
      .matMul(MatMul()),
      [
        Tensor([0.1, 0.2] as [Double], shape: [1, 2]),
        Tensor([0.3, 0.4] as [Double], shape: [2, 1]),
      ],
      gives: [Tensor([0.11000000000000001] as [Double], shape: [1, 1])], tolerance: 1e-15)
  }

  @Test func matMulOfNothing() throws {
    try expect(
      .matMul(MatMul()),
      [floats([], [2, 0]), floats([], [0, 3])],
      gives: [floats([0, 0, 0, 0, 0, 0], [2, 3])])
  }
}
