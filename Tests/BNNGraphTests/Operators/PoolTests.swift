import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct PoolTests {
  @Test func maximum() throws {
    try expect(
      .pool(Pool(kind: .maximum, window: WindowGeometry(kernel: [2, 2], strides: [2, 2]))),
      [ramp([1, 2, 4, 4])],
      gives: [floats([3, 0, 2, 3, 0, 3, 3, 1], [1, 2, 2, 2])])
  }

  @Test func maximumOverlapsAndPads() throws {
    try expect(
      .pool(
        Pool(
          kind: .maximum,
          window: WindowGeometry(
            kernel: [3, 3], strides: [2, 2], padsBegin: [1, 1], padsEnd: [1, 1]))),
      [ramp([1, 1, 4, 4])],
      gives: [floats([3, 2, 3, 3], [1, 1, 2, 2])])
  }

  @Test func maximumDilated() throws {
    try expect(
      .pool(Pool(kind: .maximum, window: WindowGeometry(kernel: [2, 2], dilations: [2, 3]))),
      [ramp([1, 1, 5, 5])],
      gives: [floats([-1, 3, 3, 1, 0, 3], [1, 1, 3, 2])])
  }

  @Test func maximumRoundsUp() throws {
    try expect(
      .pool(
        Pool(
          kind: .maximum, window: WindowGeometry(kernel: [3, 2], strides: [2, 2]), ceiling: true)),
      [ramp([1, 1, 4, 5])],
      gives: [floats([3, 2, 3, 3, 3, 1], [1, 1, 2, 3])])
  }

  @Test func maximumDropsWindowInPadding() throws {
    try expect(
      .pool(
        Pool(
          kind: .maximum, window: WindowGeometry(kernel: [1, 1], strides: [2, 2]), ceiling: true)),
      [ramp([1, 1, 2, 2])],
      gives: [floats([-3], [1, 1, 1, 1])])
  }

  @Test func maximumOneDimension() throws {
    try expect(
      .pool(
        Pool(
          kind: .maximum,
          window: WindowGeometry(kernel: [2], strides: [2], padsBegin: [1], padsEnd: [0]))),
      [ramp([2, 2, 5])],
      gives: [floats([-3, 2, 3, 1, -1, 2, -2, 3, -1, 2, 0, 3], [2, 2, 3])])
  }

  @Test func maximumThreeDimensions() throws {
    try expect(
      .pool(Pool(kind: .maximum, window: WindowGeometry(kernel: [2, 2, 2]))),
      [ramp([1, 1, 2, 3, 4])],
      gives: [floats([3, 3, 3, 3, 3, 3], [1, 1, 1, 2, 3])])
  }

  @Test func maximumPassesOverNaN() throws {
    try expect(
      .pool(Pool(kind: .maximum, window: WindowGeometry(kernel: [1, 2]))),
      [floats([.nan, 1, 2, .nan], [1, 1, 1, 4])],
      gives: [floats([1, 2, 2], [1, 1, 1, 3])])
  }

  @Test func maximumOfNegatives() throws {
    try expect(
      .pool(
        Pool(
          kind: .maximum,
          window: WindowGeometry(kernel: [1, 2], padsBegin: [0, 1], padsEnd: [0, 0]))),
      [floats([-5, -1, -7], [1, 1, 1, 3])],
      gives: [floats([-5, -1, -1], [1, 1, 1, 3])])
  }

  @Test func averageWithoutPadding() throws {
    try expect(
      .pool(
        Pool(
          kind: .average(countPadding: false),
          window: WindowGeometry(kernel: [2, 2], strides: [2, 2]))),
      [ramp([1, 1, 4, 4])],
      gives: [floats([0.75, -1.5, 0.5, 0], [1, 1, 2, 2])], tolerance: 1e-07)
  }

  @Test func averageCountsTapsInside() throws {
    try expect(
      .pool(
        Pool(
          kind: .average(countPadding: false),
          window: WindowGeometry(kernel: [2, 2], padsBegin: [1, 1], padsEnd: [1, 1]))),
      [ramp([1, 1, 3, 3])],
      gives: [
        floats(
          [-3, -0.5, 1, 0, -2.5, 0, 1.5, 0.5, -1.5, -0.75, 0.75, 1.5, -1, -2, -0.5, 2],
          [1, 1, 4, 4])
      ], tolerance: 1e-06)
  }

  @Test func averageCountsPadding() throws {
    try expect(
      .pool(
        Pool(
          kind: .average(countPadding: true),
          window: WindowGeometry(kernel: [2, 2], padsBegin: [1, 1], padsEnd: [1, 1]))),
      [ramp([1, 1, 3, 3])],
      gives: [
        floats(
          [
            -0.75, -0.25, 0.5, 0, -1.25, 0, 1.5, 0.25, -0.75, -0.75, 0.75, 0.75, -0.25, -1, -0.25,
            0.5,
          ], [1, 1, 4, 4])
      ], tolerance: 1e-06)
  }

  @Test func averageRoundedUpDoesNotCountOverhang() throws {
    try expect(
      .pool(
        Pool(
          kind: .average(countPadding: true),
          window: WindowGeometry(kernel: [3, 3], strides: [2, 2]), ceiling: true)),
      [floats((1...16).map { Float($0) }, [1, 1, 4, 4])],
      gives: [floats([6, 7.5, 12, 13.5], [1, 1, 2, 2])], tolerance: 1e-06)
  }

  @Test func averageRoundedUpCountsPaddingAtTheBeginning() throws {
    try expect(
      .pool(
        Pool(
          kind: .average(countPadding: true),
          window: WindowGeometry(
            kernel: [3, 3], strides: [2, 2], padsBegin: [1, 1], padsEnd: [0, 0]), ceiling: true)),
      [floats((1...16).map { Float($0) }, [1, 1, 4, 4])],
      gives: [floats([1.5555556, 3.3333333, 6.3333335, 11], [1, 1, 2, 2])], tolerance: 1e-06)
  }

  @Test func averageDilated() throws {
    try expect(
      .pool(
        Pool(
          kind: .average(countPadding: false),
          window: WindowGeometry(kernel: [2, 2], dilations: [3, 2]))),
      [ramp([1, 1, 5, 5])],
      gives: [floats([-0.75, 0.75, 0.5, -0.25, -0.5, -0.75], [1, 1, 2, 3])], tolerance: 1e-06)
  }

  @Test func averageOneDimension() throws {
    try expect(
      .pool(
        Pool(
          kind: .average(countPadding: false),
          window: WindowGeometry(kernel: [3], padsBegin: [1], padsEnd: [1]))),
      [ramp([1, 2, 4])],
      gives: [floats([-0.5, -0.33333334, 0, -1, 2, 1, -1, -2], [1, 2, 4])], tolerance: 1e-06)
  }

  @Test func globalAverage() throws {
    try expect(
      .pool(
        Pool(
          kind: .average(countPadding: false), window: WindowGeometry(kernel: []), isGlobal: true)),
      [ramp([2, 2, 2, 3])],
      gives: [floats([0.16666667, -0.16666667, -0.5, 0.33333334], [2, 2, 1, 1])], tolerance: 1e-06)
  }

  @Test func globalMaximum() throws {
    try expect(
      .pool(Pool(kind: .maximum, window: WindowGeometry(kernel: []), isGlobal: true)),
      [ramp([2, 2, 2, 3])],
      gives: [floats([3, 3, 2, 3], [2, 2, 1, 1])])
  }

  @Test func maximumOfIntegers() throws {
    try expect(
      .pool(Pool(kind: .maximum, window: WindowGeometry(kernel: [2]))),
      [integers([-128, -5, -100, 7], [1, 1, 4], .int8)],
      gives: [integers([-5, -5, 7], [1, 1, 3], .int8)])
  }
}
