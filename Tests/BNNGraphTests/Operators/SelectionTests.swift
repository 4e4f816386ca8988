import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct SelectionTests {
  @Test func compareEqual() throws {
    try expect(
      .comparison(Comparison(kind: .equal)),
      [floats([1, 2, 3, .nan, .nan, 0]), floats([2, 2, 2, 1, .nan, -0.0])],
      gives: [bools([false, true, false, false, false, true])])
  }

  @Test func compareLess() throws {
    try expect(
      .comparison(Comparison(kind: .less)),
      [floats([1, 2, 3, .nan, .nan, 0]), floats([2, 2, 2, 1, .nan, -0.0])],
      gives: [bools([true, false, false, false, false, false])])
  }

  @Test func compareLessOrEqual() throws {
    try expect(
      .comparison(Comparison(kind: .lessOrEqual)),
      [floats([1, 2, 3, .nan, .nan, 0]), floats([2, 2, 2, 1, .nan, -0.0])],
      gives: [bools([true, true, false, false, false, true])])
  }

  @Test func compareGreater() throws {
    try expect(
      .comparison(Comparison(kind: .greater)),
      [floats([1, 2, 3, .nan, .nan, 0]), floats([2, 2, 2, 1, .nan, -0.0])],
      gives: [bools([false, false, true, false, false, false])])
  }

  @Test func compareGreaterOrEqual() throws {
    try expect(
      .comparison(Comparison(kind: .greaterOrEqual)),
      [floats([1, 2, 3, .nan, .nan, 0]), floats([2, 2, 2, 1, .nan, -0.0])],
      gives: [bools([false, true, true, false, false, true])])
  }

  @Test func compareBools() throws {
    try expect(
      .comparison(Comparison(kind: .equal)),
      [bools([true, true, false, false]), bools([true, false, true, false])],
      gives: [bools([true, false, false, true])])
  }

  @Test func comparePerChannel() throws {
    try expect(
      .comparison(Comparison(kind: .greaterOrEqual)),
      [ramp([2, 2, 2]), floats([0, 2], [2, 1])],
      gives: [bools([false, true, false, false, true, true, false, false], [2, 2, 2])])
  }

  @Test func compareIntegers() throws {
    try expect(
      .comparison(Comparison(kind: .less)),
      [integers([-1, 5], [2], .int32), integers([0, 5], [2], .int32)],
      gives: [bools([true, false])])
  }

  @Test func logicalAnd() throws {
    try expect(
      .logical(Logical(kind: .and)),
      [bools([true, true, false, false]), bools([true, false, true, false])],
      gives: [bools([true, false, false, false])])
  }

  @Test func logicalOr() throws {
    try expect(
      .logical(Logical(kind: .or)),
      [bools([true, true, false, false]), bools([true, false, true, false])],
      gives: [bools([true, true, true, false])])
  }

  @Test func logicalXor() throws {
    try expect(
      .logical(Logical(kind: .xor)),
      [bools([true, true, false, false]), bools([true, false, true, false])],
      gives: [bools([false, true, true, false])])
  }

  @Test func logicalNot() throws {
    try expect(
      .logical(Logical(kind: .not)),
      [bools([true, false])],
      gives: [bools([false, true])])
  }

  @Test func logicalRepeats() throws {
    try expect(
      .logical(Logical(kind: .or)),
      [bools([true, false], [2, 1]), bools([true, false, false])],
      gives: [bools([true, true, true, true, false, false], [2, 3])])
  }

  @Test func selectRepeatsAll() throws {
    try expect(
      .select(Where()),
      [bools([true, false], [2, 1]), floats([1, 2, 3]), floats([-1], [])],
      gives: [floats([1, 2, 3, -1, -1, -1], [2, 3])])
  }

  @Test func selectIntegers() throws {
    try expect(
      .select(Where()),
      [bools([true, false, true]), integers([1, 2, 3]), integers([4, 5, 6])],
      gives: [integers([1, 5, 3])])
  }

  @Test func clipBoth() throws {
    try expect(
      .clip(Clip()),
      [
        floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan]), floats([-1], []),
        floats([2], []),
      ],
      gives: [floats([-1, -1, -1, -0.5, 0, 0.5, 1.5, 2, 2, .nan])])
  }

  @Test func clipMinimumOnly() throws {
    try expect(
      .clip(Clip()),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan]), floats([-1], [])],
      gives: [floats([-1, -1, -1, -0.5, 0, 0.5, 1.5, 3, 3.4028235e+38, .nan])])
  }

  @Test func clipMaximumOnly() throws {
    try expect(
      .clip(Clip()),
      [
        floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan]), nil, floats([2], []),
      ],
      gives: [floats([-3.4028235e+38, -2.5, -1, -0.5, 0, 0.5, 1.5, 2, 2, .nan])])
  }

  @Test func clipCrossedLimitsGiveTheMaximum() throws {
    try expect(
      .clip(Clip()),
      [floats([-5, 0, 5]), floats([3], []), floats([1], [])],
      gives: [floats([1, 1, 1])])
  }

  @Test func clipIntegers() throws {
    try expect(
      .clip(Clip()),
      [integers([-100, 0, 100], [3], .int8), integers([-8], [], .int8), integers([7], [], .int8)],
      gives: [integers([-8, 0, 7], [3], .int8)])
  }

  @Test func pReluPerChannel() throws {
    try expect(
      .pRelu(PRelu()),
      [ramp([2, 3, 2]), floats([0.5, -1, 2], [3, 1])],
      gives: [floats([-1.5, 2, 0, 2, 3, 1, -0.5, -1.5, 2, 0, -4, 3], [2, 3, 2])])
  }

  @Test func pReluScalar() throws {
    try expect(
      .pRelu(PRelu()),
      [floats([-2, 0, 3, .nan]), floats([0.25])],
      gives: [floats([-0.5, 0, 3, .nan])])
  }

  @Test func pReluIntegers() throws {
    try expect(
      .pRelu(PRelu()),
      [integers([-2, 0, 3], [3], .int32), integers([4], [1], .int32)],
      gives: [integers([-8, 0, 3], [3], .int32)])
  }

  @Test func castTruncates() throws {
    try expect(
      .cast(Cast(to: .int64)),
      [floats([-1.9, -0.5, 0.5, 1.9, 100.99])],
      gives: [integers([-1, 0, 0, 1, 100])])
  }

  @Test func castSaturates() throws {
    try expect(
      .cast(Cast(to: .int32)),
      [floats([1e+10, -1e+10, .nan, .infinity])],
      gives: [integers([2147483647, -2147483648, 0, 2147483647], [4], .int32)])
  }

  @Test func castBoolOfFloat() throws {
    try expect(
      .cast(Cast(to: .bool)),
      [floats([0, -0.0, 0.1, .nan])],
      gives: [bools([false, false, true, true])])
  }

  @Test func castWrapsIntegers() throws {
    try expect(
      .cast(Cast(to: .uint8)),
      [integers([300, -1, -129])],
      gives: [integers([44, 255, 127], [3], .uint8)])
  }

  @Test func castOfBool() throws {
    try expect(
      .cast(Cast(to: .float32)),
      [bools([true, false])],
      gives: [floats([1, 0])])
  }

  @Test func castIntegerToFloatRounds() throws {
    try expect(
      .cast(Cast(to: .float32)),
      [integers([16777217, 3])],
      gives: [floats([1.6777216e+07, 3])])
  }

  @Test func castToDouble() throws {
    try expect(
      .cast(Cast(to: .float64)),
      [floats([0.5, -3])],
      gives: [Tensor([0.5, -3.0] as [Double], shape: [2])])
  }
}
