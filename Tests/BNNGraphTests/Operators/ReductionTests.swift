import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct ReductionTests {
  @Test func mean() throws {
    try expect(
      .reduce(Reduce(kind: .mean)),
      [ramp([2, 3, 2]), integers([1])],
      gives: [floats([0, 0.33333334, -0.33333334, 0], [2, 1, 2])], tolerance: 1e-06)
  }

  @Test func sum() throws {
    try expect(
      .reduce(Reduce(kind: .sum)),
      [ramp([2, 3, 2]), integers([1])],
      gives: [floats([0, 1, -1, 0], [2, 1, 2])], tolerance: 1e-06)
  }

  @Test func product() throws {
    try expect(
      .reduce(Reduce(kind: .product)),
      [ramp([2, 3, 2]), integers([1])],
      gives: [floats([-0.0, -4, 4, -0.0], [2, 1, 2])], tolerance: 1e-06)
  }

  @Test func maximum() throws {
    try expect(
      .reduce(Reduce(kind: .maximum)),
      [ramp([2, 3, 2]), integers([1])],
      gives: [floats([3, 2, 2, 3], [2, 1, 2])], tolerance: 1e-06)
  }

  @Test func minimum() throws {
    try expect(
      .reduce(Reduce(kind: .minimum)),
      [ramp([2, 3, 2]), integers([1])],
      gives: [floats([-3, -2, -2, -3], [2, 1, 2])], tolerance: 1e-06)
  }

  @Test func l1() throws {
    try expect(
      .reduce(Reduce(kind: .l1)),
      [ramp([2, 3, 2]), integers([1])],
      gives: [floats([6, 5, 5, 6], [2, 1, 2])], tolerance: 1e-06)
  }

  @Test func l2() throws {
    try expect(
      .reduce(Reduce(kind: .l2)),
      [ramp([2, 3, 2]), integers([1])],
      gives: [floats([4.2426405, 3, 3, 4.2426405], [2, 1, 2])], tolerance: 1e-06)
  }

  @Test func sumSquare() throws {
    try expect(
      .reduce(Reduce(kind: .sumSquare)),
      [ramp([2, 3, 2]), integers([1])],
      gives: [floats([18, 9, 9, 18], [2, 1, 2])], tolerance: 1e-06)
  }

  @Test func logSum() throws {
    try expect(
      .reduce(Reduce(kind: .logSum)),
      [ramp([2, 3, 2], period: 7, offset: -1), integers([1])],
      gives: [floats([2.4849067, 2.5649493, 2.3978953, 2.4849067], [2, 1, 2])], tolerance: 1e-06)
  }

  @Test func logSumExp() throws {
    try expect(
      .reduce(Reduce(kind: .logSumExp)),
      [ramp([2, 3, 2], period: 7, offset: -1), integers([0, 2])],
      gives: [floats([6.0613422, 6.253856, 7.761774], [1, 3, 1])], tolerance: 1e-06)
  }

  @Test func negativeAxesWithoutKeeping() throws {
    try expect(
      .reduce(Reduce(kind: .sum, keepDimensions: false)),
      [ramp([2, 3, 2]), integers([-1, 0])],
      gives: [floats([-5, 0, 5])], tolerance: 1e-06)
  }

  @Test func noAxesMeansAll() throws {
    try expect(
      .reduce(Reduce(kind: .sum, keepDimensions: false)),
      [ramp([2, 3])],
      gives: [floats([1], [])], tolerance: 1e-06)
  }

  @Test func emptyAxesMeansAll() throws {
    try expect(
      .reduce(Reduce(kind: .sum)),
      [ramp([2, 3]), integers([])],
      gives: [floats([1], [1, 1])], tolerance: 1e-06)
  }

  @Test func emptyAxesIsIdentity() throws {
    try expect(
      .reduce(Reduce(kind: .sum, emptyAxesIsIdentity: true)),
      [ramp([2, 3]), integers([])],
      gives: [floats([-3, 2, 0, -2, 3, 1], [2, 3])], tolerance: 1e-06)
  }

  @Test func meanOverSpace() throws {
    try expect(
      .reduce(Reduce(kind: .mean)),
      [ramp([1, 2, 2, 2]), integers([2, 3])],
      gives: [floats([-0.75, 0], [1, 2, 1, 1])], tolerance: 1e-06)
  }

  @Test func sumOfNothing() throws {
    try expect(
      .reduce(Reduce(kind: .sum)),
      [floats([], [2, 0]), integers([1])],
      gives: [floats([0, 0], [2, 1])])
  }

  @Test func largestOfNothing() throws {
    try expect(
      .reduce(Reduce(kind: .maximum)),
      [floats([], [1, 0]), integers([1])],
      gives: [floats([-.infinity], [1, 1])])
  }

  @Test func sumOfIntegers() throws {
    try expect(
      .reduce(Reduce(kind: .sum)),
      [integers([1, -5, 9]), integers([0])],
      gives: [integers([5])])
  }

  @Test func meanOfIntegersTruncates() throws {
    try expect(
      .reduce(Reduce(kind: .mean)),
      [integers([1, -5, 1]), integers([0])],
      gives: [integers([-1])])
  }

  @Test func maximumOfIntegers() throws {
    try expect(
      .reduce(Reduce(kind: .maximum)),
      [integers([-100, -5], [2], .int8), integers([0])],
      gives: [integers([-5], [1], .int8)])
  }

  @Test func logSumExpDoesNotOverflow() throws {
    try expect(
      .reduce(Reduce(kind: .logSumExp)),
      [floats([1000, 1000]), integers([0])],
      gives: [floats([1000.6932])], tolerance: 1e-06)
  }

  @Test func argMax() throws {
    try expect(
      .argumentExtremum(ArgumentExtremum(isMaximum: true, axis: 1)),
      [ramp([2, 4])],
      gives: [integers([1, 0], [2, 1])])
  }

  @Test func argMin() throws {
    try expect(
      .argumentExtremum(ArgumentExtremum(isMaximum: false, axis: -1, keepDimensions: false)),
      [ramp([2, 4])],
      gives: [integers([0, 3])])
  }

  @Test func argMaxFirstOfEqual() throws {
    try expect(
      .argumentExtremum(ArgumentExtremum(isMaximum: true)),
      [floats([1, 3, 3])],
      gives: [integers([1])])
  }

  @Test func argMaxLastOfEqual() throws {
    try expect(
      .argumentExtremum(ArgumentExtremum(isMaximum: true, selectsLast: true)),
      [floats([1, 3, 3])],
      gives: [integers([2])])
  }

  @Test func argMaxMiddleAxis() throws {
    try expect(
      .argumentExtremum(ArgumentExtremum(isMaximum: true, axis: 1)),
      [ramp([2, 3, 2])],
      gives: [integers([2, 0, 1, 2], [2, 1, 2])])
  }

  @Test func argMinLastOfIntegers() throws {
    try expect(
      .argumentExtremum(ArgumentExtremum(isMaximum: false, selectsLast: true)),
      [integers([4, 1, 1])],
      gives: [integers([2])])
  }

  @Test func softmax() throws {
    try expect(
      .softmax(Softmax()),
      [ramp([2, 3])],
      gives: [
        floats([0.00589975, 0.8756006, 0.11849965, 0.00589975, 0.8756006, 0.11849965], [2, 3])
      ], tolerance: 1e-06)
  }

  @Test func softmaxMiddleAxis() throws {
    try expect(
      .softmax(Softmax(axis: 1)),
      [ramp([1, 2, 2])],
      gives: [floats([0.047425874, 0.98201376, 0.95257413, 0.01798621], [1, 2, 2])],
      tolerance: 1e-06)
  }

  @Test func softmaxFlattens() throws {
    try expect(
      .softmax(Softmax(axis: 1, flattens: true)),
      [ramp([2, 2, 2])],
      gives: [
        floats(
          [
            0.0058066286, 0.8617801, 0.11662925, 0.015784053, 0.8649548, 0.1170589, 0.015842201,
            0.0021440086,
          ], [2, 2, 2])
      ], tolerance: 1e-06)
  }

  @Test func logSoftmax() throws {
    try expect(
      .softmax(Softmax(logarithm: true)),
      [ramp([2, 3])],
      gives: [
        floats([-5.1328454, -0.13284527, -2.1328452, -5.1328454, -0.13284527, -2.1328452], [2, 3])
      ], tolerance: 1e-06)
  }

  @Test func softmaxOfLargeNumbers() throws {
    try expect(
      .softmax(Softmax()),
      [floats([1000, 1001])],
      gives: [floats([0.26894143, 0.7310586])], tolerance: 1e-06)
  }

  @Test func logSoftmaxFlattens() throws {
    try expect(
      .softmax(Softmax(axis: 1, logarithm: true, flattens: true)),
      [ramp([1, 2, 2])],
      gives: [floats([-5.148755, -0.14875515, -2.148755, -4.148755], [1, 2, 2])], tolerance: 1e-06)
  }
}
