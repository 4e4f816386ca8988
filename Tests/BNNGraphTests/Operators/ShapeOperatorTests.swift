import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct ShapeOperatorTests {
  @Test func reshapeInfersAnExtent() throws {
    try expect(
      .reshape(Reshape()),
      [ramp([2, 6]), integers([3, -1])],
      gives: [floats([-3, 2, 0, -2, 3, 1, -1, -3, 2, 0, -2, 3], [3, 4])])
  }

  @Test func reshapeZeroCopies() throws {
    try expect(
      .reshape(Reshape()),
      [ramp([2, 6]), integers([0, 3, -1])],
      gives: [floats([-3, 2, 0, -2, 3, 1, -1, -3, 2, 0, -2, 3], [2, 3, 2])])
  }

  @Test func reshapeZeroIsZero() throws {
    try expect(
      .reshape(Reshape(allowsZero: true)),
      [floats([], [0, 3]), integers([3, 0])],
      gives: [floats([], [3, 0])])
  }

  @Test func reshapeToScalar() throws {
    try expect(
      .reshape(Reshape()),
      [ramp([1]), integers([])],
      gives: [floats([-3], [])])
  }

  @Test func reshapeBools() throws {
    try expect(
      .reshape(Reshape()),
      [bools([true, false]), integers([2, 1])],
      gives: [bools([true, false], [2, 1])])
  }

  @Test func flatten() throws {
    try expect(
      .flatten(Flatten()),
      [ramp([2, 3, 2])],
      gives: [floats([-3, 2, 0, -2, 3, 1, -1, -3, 2, 0, -2, 3], [2, 6])])
  }

  @Test func flattenAxisZero() throws {
    try expect(
      .flatten(Flatten(axis: 0)),
      [ramp([2, 2])],
      gives: [floats([-3, 2, 0, -2], [1, 4])])
  }

  @Test func flattenAxisAtTheEnd() throws {
    try expect(
      .flatten(Flatten(axis: 2)),
      [ramp([2, 2])],
      gives: [floats([-3, 2, 0, -2], [4, 1])])
  }

  @Test func flattenNegativeAxis() throws {
    try expect(
      .flatten(Flatten(axis: -1)),
      [ramp([2, 2, 3])],
      gives: [floats([-3, 2, 0, -2, 3, 1, -1, -3, 2, 0, -2, 3], [4, 3])])
  }

  @Test func squeezeAxes() throws {
    try expect(
      .squeeze(Squeeze()),
      [ramp([1, 2, 1, 2]), integers([0, -2])],
      gives: [floats([-3, 2, 0, -2], [2, 2])])
  }

  @Test func squeezeAll() throws {
    try expect(
      .squeeze(Squeeze()),
      [ramp([1, 2, 1])],
      gives: [floats([-3, 2])])
  }

  @Test func unsqueezeAxes() throws {
    try expect(
      .unsqueeze(Unsqueeze()),
      [ramp([2, 2]), integers([0, -1])],
      gives: [floats([-3, 2, 0, -2], [1, 2, 2, 1])])
  }

  @Test func unsqueezeScalar() throws {
    try expect(
      .unsqueeze(Unsqueeze()),
      [floats([5], []), integers([0])],
      gives: [floats([5])])
  }

  @Test func shapeWhole() throws {
    try expect(
      .shapeOf(ShapeOf()),
      [ramp([2, 3, 4])],
      gives: [integers([2, 3, 4])])
  }

  @Test func shapePart() throws {
    try expect(
      .shapeOf(ShapeOf(start: 1, end: -1)),
      [ramp([2, 3, 4])],
      gives: [integers([3])])
  }

  @Test func shapeClampsItsEnds() throws {
    try expect(
      .shapeOf(ShapeOf(start: -9, end: 9)),
      [ramp([2, 3])],
      gives: [integers([2, 3])])
  }

  @Test func size() throws {
    try expect(
      .size(Size()),
      [ramp([2, 3, 4])],
      gives: [integers([24], [])])
  }

  @Test func constantOfShape() throws {
    try expect(
      .constantOfShape(ConstantOfShape(value: integers([7]))),
      [integers([2, 2])],
      gives: [integers([7, 7, 7, 7], [2, 2])])
  }

  @Test func constantOfEmptyShape() throws {
    try expect(
      .constantOfShape(ConstantOfShape(value: floats([0.5]))),
      [integers([])],
      gives: [floats([0.5], [])])
  }

  @Test func rangeOfIntegers() throws {
    try expect(
      .range(NumberRange()),
      [integers([3], []), integers([10], []), integers([3], [])],
      gives: [integers([3, 6, 9])])
  }

  @Test func rangeBackward() throws {
    try expect(
      .range(NumberRange()),
      [integers([5], []), integers([0], []), integers([-2], [])],
      gives: [integers([5, 3, 1])])
  }

  @Test func rangeOfFloats() throws {
    try expect(
      .range(NumberRange()),
      [floats([0], []), floats([1], []), floats([0.25], [])],
      gives: [floats([0, 0.25, 0.5, 0.75])])
  }

  @Test func rangeEmpty() throws {
    try expect(
      .range(NumberRange()),
      [integers([5], []), integers([0], []), integers([1], [])],
      gives: [integers([])])
  }

  @Test func identity() throws {
    try expect(
      .identity(Identity()),
      [ramp([2, 2])],
      gives: [floats([-3, 2, 0, -2], [2, 2])])
  }
}
