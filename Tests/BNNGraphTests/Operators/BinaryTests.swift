import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct BinaryTests {
  @Test func addSameShape() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .add)),
      [ramp([2, 3]), ramp([2, 3], period: 5, offset: 1)],
      gives: [floats([-4, 1, -1, -3, 2, 0], [2, 3])])
  }

  @Test func subtractPerChannel() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .subtract)),
      [ramp([2, 3, 2]), floats([1, 2, 3], [3, 1])],
      gives: [floats([-4, 1, -2, -4, 0, -2, -2, -4, 0, -2, -5, 0], [2, 3, 2])])
  }

  @Test func multiplyByScalar() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .multiply)),
      [ramp([2, 2]), floats([-2], [])],
      gives: [floats([6, -4, -0.0, 4], [2, 2])])
  }

  @Test func divideBothRepeat() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .divide)),
      [floats([1, 3], [2, 1]), floats([2, 4, 0], [1, 3])],
      gives: [floats([0.5, 0.25, .infinity, 1.5, 0.75, .infinity], [2, 3])])
  }

  @Test func scalarFirst() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .subtract)),
      [floats([1], []), ramp([2, 2])],
      gives: [floats([4, -1, 1, 3], [2, 2])])
  }

  @Test func lowRankFirst() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .add)),
      [floats([1, 2]), ramp([3, 2])],
      gives: [floats([-2, 4, 1, 0, 4, 3], [3, 2])])
  }

  @Test func middleAxisRepeats() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .add)),
      [ramp([2, 1, 2]), ramp([2, 3, 1])],
      gives: [floats([-6, -1, -1, 4, -3, 2, -2, -4, 3, 1, 1, -1], [2, 3, 2])])
  }

  @Test func maximumKeepsNaN() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .maximum)),
      [floats([.nan, 1, 2, -3]), floats([1, .nan, 1, 5])],
      gives: [floats([.nan, .nan, 2, 5])])
  }

  @Test func minimumKeepsNaN() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .minimum)),
      [floats([.nan, 1, 2, -3]), floats([1, .nan, 1, 5])],
      gives: [floats([.nan, .nan, 1, -3])])
  }

  @Test func power() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .power)),
      [floats([2, 3, 4, -2]), floats([3, 0.5, 0, 2])],
      gives: [floats([8, 1.7320508, 1, 4])], tolerance: 1e-06)
  }

  @Test func powerOfMixedTypes() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .power)),
      [floats([2, -3]), integers([3, 2])],
      gives: [floats([8, 9])])
  }

  @Test func integerPower() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .power)),
      [integers([2, -3, 5]), integers([10, 3, 0])],
      gives: [integers([1024, -27, 1])])
  }

  @Test func integerDivisionTruncates() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .divide)),
      [integers([7, -7, 7, -7]), integers([2, 2, -2, -2])],
      gives: [integers([3, -3, -3, 3])])
  }

  @Test func integerRemainderHasDivisorsSign() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .remainder)),
      [integers([7, -7, 7, -7, 6]), integers([3, 3, -3, -3, 3])],
      gives: [integers([1, 2, -2, -1, 0])])
  }

  @Test func floatRemainderHasDividendsSign() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .remainder)),
      [floats([7.5, -7.5, 5]), floats([2, 2, -3])],
      gives: [floats([1.5, -1.5, 2])])
  }

  @Test func divisionByZeroIsZero() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .divide)),
      [integers([7, 0]), integers([0, 0])],
      gives: [integers([0, 0])])
  }

  @Test func remainderByZeroIsZero() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .remainder)),
      [integers([7, -1]), integers([0, 0])],
      gives: [integers([0, 0])])
  }

  @Test func smallestByMinusOneWraps() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .divide)),
      [integers([.min]), integers([-1])],
      gives: [integers([.min])])
  }

  @Test func uint8Wraps() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .add)),
      [integers([250, 1], [2], .uint8), integers([10, 2], [2], .uint8)],
      gives: [integers([4, 3], [2], .uint8)])
  }

  @Test func int8MultiplyWraps() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .multiply)),
      [integers([100, -3], [2], .int8), integers([3, 4], [2], .int8)],
      gives: [integers([44, -12], [2], .int8)])
  }

  @Test func doublesAreNotRounded() throws {
    try expect(
      .elementwiseBinary(ElementwiseBinary(kind: .add)),
      [Tensor([1.0] as [Double], shape: [1]), Tensor([1e-12] as [Double], shape: [1])],
      gives: [Tensor([1.000000000001] as [Double], shape: [1])])
  }
}
