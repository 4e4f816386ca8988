import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct ConvolutionTests {
  @Test func plain3x3() throws {
    try expect(
      .convolution(
        Convolution(geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [3, 3])))),
      [ramp([1, 1, 4, 4]), ramp([1, 1, 3, 3])],
      gives: [floats([3, -2, -17, 6], [1, 1, 2, 2])])
  }

  @Test func paddingSkipsTaps() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(
            window: WindowGeometry(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])))),
      [ramp([1, 1, 3, 3]), ramp([1, 1, 3, 3])],
      gives: [floats([5, 7, -10, -12, 41, -12, -10, 7, 5], [1, 1, 3, 3])])
  }

  @Test func unevenPaddingAndStrides() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(
            window: WindowGeometry(
              kernel: [2, 3], strides: [2, 2], padsBegin: [0, 2], padsEnd: [1, 1])))),
      [ramp([1, 2, 4, 5]), ramp([2, 2, 2, 3])],
      gives: [floats([8, 14, 14, -7, 14, 14, 8, -12, -8, 2, 8, 12], [1, 2, 2, 3])])
  }

  @Test func dilationsAndBias() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [2, 2], dilations: [2, 3])))),
      [ramp([1, 2, 5, 5]), ramp([2, 2, 2, 2]), floats([10, -20])],
      gives: [floats([32, 10, -1, 5, 8, 14, -14, -32, -13, -17, -19, -30], [1, 2, 3, 2])])
  }

  @Test func groups() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [2, 2]), groups: 2))),
      [ramp([2, 4, 3, 3]), ramp([4, 2, 2, 2])],
      gives: [
        floats(
          [
            7, -1, 18, -11, 4, -7, -15, 16, 1, 1, 1, 1, -7, 4, 5, 16, -1, 5, -11, -19, -7, 10, 16,
            5, 1, 8, 1, -6, 4, -13, 16, -15,
          ], [2, 4, 2, 2])
      ])
  }

  @Test func depthwise() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(
            window: WindowGeometry(kernel: [2, 2], padsBegin: [1, 0], padsEnd: [0, 1]), groups: 3))),
      [ramp([1, 3, 3, 3]), ramp([3, 1, 2, 2])],
      gives: [
        floats(
          [
            -4, 0, 0, 7, -8, 0, 18, -11, -3, 6, -7, -3, 0, 7, 12, 0, 0, -7, -3, -5, 2, 18, -2, -2,
            7, 1, -2,
          ], [1, 3, 3, 3])
      ])
  }

  @Test func oneByOneJoinsRows() throws {
    try expect(
      .convolution(
        Convolution(geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [1, 1])))),
      [ramp([2, 3, 2, 3]), ramp([2, 3, 1, 1])],
      gives: [
        floats(
          [7, -12, 4, 6, -13, 3, 4, -14, 3, 6, -12, 5, -13, 3, 5, 7, -12, 4, -12, 5, 8, 4, -14, 3],
          [2, 2, 2, 3])
      ])
  }

  @Test func oneByOneWithStride() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [1, 1], strides: [2, 2])))),
      [ramp([1, 2, 4, 4]), ramp([2, 2, 1, 1])],
      gives: [floats([9, 6, -10, 8, 0, -6, 4, -2], [1, 2, 2, 2])])
  }

  @Test func oneDimension() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(
            window: WindowGeometry(kernel: [3], strides: [2], padsBegin: [2], padsEnd: [1])))),
      [ramp([2, 2, 6]), ramp([2, 2, 3])],
      gives: [floats([-1, 8, -10, 6, -9, 9, 6, -12, 3, -9, 8, -8, 11, -9, 9, 6], [2, 2, 4])])
  }

  @Test func threeDimensions() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(
            window: WindowGeometry(
              kernel: [2, 2, 2], strides: [1, 2, 1], padsBegin: [1, 0, 0], padsEnd: [0, 1, 0])))),
      [ramp([1, 2, 3, 3, 3]), ramp([1, 2, 2, 2, 2])],
      gives: [floats([-16, 7, -4, -5, -6, 3, 0, 11, -2, 28, -13, 5], [1, 1, 3, 2, 2])])
  }

  @Test func windowLargerThanInputButPadded() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(
            window: WindowGeometry(kernel: [4, 4], padsBegin: [1, 1], padsEnd: [1, 1])))),
      [ramp([1, 1, 2, 2]), ramp([1, 1, 4, 4])],
      gives: [floats([-1], [1, 1, 1, 1])])
  }

  @Test func strideBeyondInput() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [2, 2], strides: [7, 4])))),
      [ramp([1, 1, 5, 5]), ramp([1, 1, 2, 2])],
      gives: [floats([15], [1, 1, 1, 1])])
  }

  @Test func padsWiderThanKernel() throws {
    try expect(
      .convolution(
        Convolution(
          geometry: ConvolutionGeometry(
            window: WindowGeometry(kernel: [2, 2], padsBegin: [3, 0], padsEnd: [0, 3])))),
      [ramp([1, 1, 2, 2]), ramp([1, 1, 2, 2])],
      gives: [floats([0, 0, 0, 0, 0, 0, 0, 0, -4, 0, 0, 0, 17, -6, 0, 0], [1, 1, 4, 4])])
  }

  @Test func transposed() throws {
    try expect(
      .transposedConvolution(
        TransposedConvolution(
          geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [3, 3])), outputPadding: [])),
      [ramp([1, 2, 2, 3]), ramp([2, 2, 3, 3])],
      gives: [
        floats(
          [
            6, -22, 8, 5, -2, 15, -25, 1, 13, -3, 9, 4, -34, 19, 3, 2, 7, -26, 10, 5, 1, 12, -8, -6,
            4, -3, 13, 1, -25, 15, -9, 7, 22, -19, 0, -4, 4, 11, -3, -11,
          ], [1, 2, 4, 5])
      ])
  }

  @Test func transposedWithStridesPadsAndBias() throws {
    try expect(
      .transposedConvolution(
        TransposedConvolution(
          geometry: ConvolutionGeometry(
            window: WindowGeometry(
              kernel: [3, 3], strides: [2, 2], padsBegin: [1, 0], padsEnd: [1, 1])),
          outputPadding: [1, 0])),
      [ramp([1, 2, 3, 3]), ramp([2, 1, 3, 3]), floats([5])],
      gives: [
        floats(
          [
            11, -4, -4, 13, 16, 2, 14, 8, -13, 7, 13, 13, 10, -2, -7, 15, 6, 11, 12, 5, 9, -10, 0,
            10, 9, 0, 4, -4, -4, 13, 10, 8, 2, 14, -7, -1,
          ], [1, 1, 6, 6])
      ])
  }

  @Test func transposedGroupsAndDilations() throws {
    try expect(
      .transposedConvolution(
        TransposedConvolution(
          geometry: ConvolutionGeometry(
            window: WindowGeometry(kernel: [2, 2], dilations: [2, 1]), groups: 2), outputPadding: []
        )),
      [ramp([1, 4, 2, 2]), ramp([4, 1, 2, 2])],
      gives: [
        floats(
          [
            18, -6, 5, -3, -4, -7, -3, -4, -7, 1, 6, 13, 5, -2, 1, -7, 11, -2, -7, 11, -2, 13, -24,
            13,
          ], [1, 2, 4, 3])
      ])
  }

  @Test func transposedOneDimension() throws {
    try expect(
      .transposedConvolution(
        TransposedConvolution(
          geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [2], strides: [3])),
          outputPadding: [])),
      [ramp([2, 1, 3]), ramp([1, 2, 2])],
      gives: [
        floats(
          [
            9, -6, 0, -6, 4, 0, 0, 0, 0, 6, 0, 0, -4, 0, 0, 0, 6, -4, 0, -9, 6, 0, -3, 2, 0, 4, 0,
            0, -6, 0, 0, -2,
          ], [2, 2, 8])
      ])
  }

  @Test func denseLayerIsRankZero() throws {
    let dense = Convolution(geometry: ConvolutionGeometry(window: WindowGeometry(kernel: [])))
    try expect(
      .convolution(dense), [ramp([2, 3]), ramp([2, 3]), floats([1, 2])],
      gives: [floats([14, 14, 13, 16], [2, 2])])
  }

  @Test func groupedDenseLayer() throws {
    let dense = Convolution(
      geometry: ConvolutionGeometry(window: WindowGeometry(kernel: []), groups: 2))
    try expect(
      .convolution(dense), [ramp([1, 4]), floats([1, 2, 3, 4], [2, 2])],
      gives: [floats([1, -8], [1, 2])])
  }
}
