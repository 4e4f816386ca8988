import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct DataMovementTests {
  @Test func sliceForward() throws {
    try expect(
      .slice(Slice()),
      [ramp([4, 5]), integers([1, 0]), integers([3, 4])],
      gives: [floats([1, -1, -3, 2, -2, 3, 1, -1], [2, 4])])
  }

  @Test func sliceWithSteps() throws {
    try expect(
      .slice(Slice()),
      [ramp([4, 5]), integers([0, 1]), integers([4, 5]), integers([0, 1]), integers([2, 3])],
      gives: [floats([2, 3, 3, -3], [2, 2])])
  }

  @Test func sliceNegativeAxesAndEnds() throws {
    try expect(
      .slice(Slice()),
      [ramp([4, 5]), integers([-3]), integers([-1]), integers([-1])],
      gives: [floats([0, -2, -3, 2, 1, -1, -2, 3], [4, 2])])
  }

  @Test func sliceClampsExtremes() throws {
    try expect(
      .slice(Slice()),
      [ramp([2, 5]), integers([.min]), integers([.max]), integers([1])],
      gives: [floats([-3, 2, 0, -2, 3, 1, -1, -3, 2, 0], [2, 5])])
  }

  @Test func sliceBackward() throws {
    try expect(
      .slice(Slice()),
      [ramp([2, 5]), integers([-1]), integers([.min]), integers([1]), integers([-1])],
      gives: [floats([3, -2, 0, 2, -3, 0, 2, -3, -1, 1], [2, 5])])
  }

  @Test func sliceBackwardWithStep() throws {
    try expect(
      .slice(Slice()),
      [ramp([7]), integers([5]), integers([0]), integers([0]), integers([-2])],
      gives: [floats([1, -2, 2])])
  }

  @Test func sliceBackwardFromBeyondTheEnd() throws {
    try expect(
      .slice(Slice()),
      [ramp([5]), integers([.max]), integers([0]), integers([0]), integers([-1])],
      gives: [floats([3, -2, 0, 2])])
  }

  @Test func sliceBackwardFromBeforeTheStart() throws {
    try expect(
      .slice(Slice()),
      [ramp([5]), integers([-100]), integers([-100]), integers([0]), integers([-1])],
      gives: [floats([-3])])
  }

  @Test func sliceEmpty() throws {
    try expect(
      .slice(Slice()),
      [ramp([2, 5]), integers([3]), integers([3]), integers([1])],
      gives: [floats([], [2, 0])])
  }

  @Test func sliceLargeStep() throws {
    try expect(
      .slice(Slice()),
      [ramp([5]), integers([1]), integers([5]), integers([0]), integers([.max])],
      gives: [floats([2])])
  }

  @Test func sliceInt32Indices() throws {
    try expect(
      .slice(Slice()),
      [ramp([5]), integers([1], [1], .int32), integers([3], [1], .int32)],
      gives: [floats([2, 0])])
  }

  @Test func gatherRows() throws {
    try expect(
      .gather(Gather()),
      [ramp([3, 2]), integers([2, 0, -1])],
      gives: [floats([3, 1, -3, 2, 3, 1], [3, 2])])
  }

  @Test func gatherScalarIndexDropsTheAxis() throws {
    try expect(
      .gather(Gather(axis: 1)),
      [ramp([2, 3]), integers([1], [])],
      gives: [floats([2, 3])])
  }

  @Test func gatherMatrixOfIndices() throws {
    try expect(
      .gather(Gather(axis: -1)),
      [ramp([2, 3]), integers([0, 2, 1, 1], [2, 2])],
      gives: [floats([-3, 0, 2, 2, -2, 1, 3, 3], [2, 2, 2])])
  }

  @Test func concatMiddleAxis() throws {
    try expect(
      .concat(Concat(axis: 1)),
      [ramp([2, 1, 2]), ramp([2, 2, 2]), floats([], [2, 0, 2])],
      gives: [floats([-3, 2, -3, 2, 0, -2, 0, -2, 3, 1, -1, -3], [2, 3, 2])])
  }

  @Test func concatIntegersNegativeAxis() throws {
    try expect(
      .concat(Concat(axis: -1)),
      [integers([1, 2]), integers([3])],
      gives: [integers([1, 2, 3])])
  }

  @Test func concatBools() throws {
    try expect(
      .concat(Concat(axis: 0)),
      [bools([true]), bools([false, true])],
      gives: [bools([true, false, true])])
  }

  @Test func concatDoubles() throws {
    try expect(
      .concat(Concat(axis: 0)),
      [Tensor([1.5] as [Double], shape: [1]), Tensor([2.5] as [Double], shape: [1])],
      gives: [Tensor([1.5, 2.5] as [Double], shape: [2])])
  }

  @Test func splitLengths() throws {
    try expect(
      .split(Split(axis: 1, parts: 3)),
      [ramp([2, 4]), integers([1, 0, 3])],
      gives: [
        floats([-3, 3], [2, 1]), floats([], [2, 0]), floats([2, 0, -2, 1, -1, -3], [2, 3]),
      ])
  }

  @Test func splitEqually() throws {
    try expect(
      .split(Split(axis: 0, parts: 2)),
      [ramp([4, 2])],
      gives: [floats([-3, 2, 0, -2], [2, 2]), floats([3, 1, -1, -3], [2, 2])])
  }

  @Test func splitLastSmaller() throws {
    try expect(
      .split(Split(axis: -1, parts: 2)),
      [ramp([1, 5])],
      gives: [floats([-3, 2, 0], [1, 3]), floats([-2, 3], [1, 2])])
  }

  @Test func transpose() throws {
    try expect(
      .transpose(Transpose(permutation: [2, 0, 1])),
      [ramp([2, 3, 2])],
      gives: [floats([-3, 0, 3, -1, 2, -2, 2, -2, 1, -3, 0, 3], [2, 2, 3])])
  }

  @Test func transposeReverses() throws {
    try expect(
      .transpose(Transpose(permutation: [])),
      [ramp([2, 3])],
      gives: [floats([-3, -2, 2, 3, 0, 1], [3, 2])])
  }

  @Test func transposeBools() throws {
    try expect(
      .transpose(Transpose(permutation: [1, 0])),
      [bools([true, false, true, true], [2, 2])],
      gives: [bools([true, true, false, true], [2, 2])])
  }

  @Test func expandBothWays() throws {
    try expect(
      .expand(Expand()),
      [ramp([3, 1]), integers([2, 1, 2])],
      gives: [floats([-3, -3, 2, 2, 0, 0, -3, -3, 2, 2, 0, 0], [2, 3, 2])])
  }

  @Test func expandScalar() throws {
    try expect(
      .expand(Expand()),
      [floats([3], []), integers([2, 2])],
      gives: [floats([3, 3, 3, 3], [2, 2])])
  }

  @Test func tile() throws {
    try expect(
      .tile(Tile()),
      [ramp([2, 2]), integers([2, 3])],
      gives: [
        floats(
          [-3, 2, -3, 2, -3, 2, 0, -2, 0, -2, 0, -2, -3, 2, -3, 2, -3, 2, 0, -2, 0, -2, 0, -2],
          [4, 6])
      ])
  }

  @Test func tileNever() throws {
    try expect(
      .tile(Tile()),
      [ramp([2, 2]), integers([0, 3])],
      gives: [floats([], [0, 6])])
  }

  @Test func padConstant() throws {
    try expect(
      .pad(Pad(mode: .constant)),
      [ramp([2, 2]), integers([1, 0, 0, 2]), floats([9], [])],
      gives: [floats([9, 9, 9, 9, -3, 2, 9, 9, 0, -2, 9, 9], [3, 4])])
  }

  @Test func padZero() throws {
    try expect(
      .pad(Pad(mode: .constant)),
      [ramp([2, 2]), integers([0, 1, 1, 0])],
      gives: [floats([0, -3, 2, 0, 0, -2, 0, 0, 0], [3, 3])])
  }

  @Test func padCrops() throws {
    try expect(
      .pad(Pad(mode: .constant)),
      [ramp([3, 4]), integers([-1, 1, 1, -2]), floats([5], [])],
      gives: [floats([5, 3, 1, 5, 2, 0, 5, 5, 5], [3, 3])])
  }

  @Test func padReflects() throws {
    try expect(
      .pad(Pad(mode: .reflect)),
      [ramp([2, 4]), integers([0, 3, 1, 2])],
      gives: [
        floats(
          [
            -2, 0, 2, -3, 2, 0, -2, 0, 2, -3, -1, 1, 3, 1, -1, -3, -1, 1, -2, 0, 2, -3, 2, 0, -2, 0,
            2,
          ], [3, 9])
      ])
  }

  @Test func padEdge() throws {
    try expect(
      .pad(Pad(mode: .edge)),
      [ramp([2, 2]), integers([1, 2, 0, 1])],
      gives: [floats([-3, -3, -3, 2, 2, -3, -3, -3, 2, 2, 0, 0, 0, -2, -2], [3, 5])])
  }

  @Test func padWraps() throws {
    try expect(
      .pad(Pad(mode: .wrap)),
      [ramp([2, 3]), integers([0, 2, 1, 3])],
      gives: [
        floats(
          [2, 0, -3, 2, 0, -3, 2, 0, 3, 1, -2, 3, 1, -2, 3, 1, 2, 0, -3, 2, 0, -3, 2, 0], [3, 8])
      ])
  }

  /// Reflecting and wrapping go on beyond the first period; what is cropped is not reflected.
  @Test(
    arguments: [
      (Pad.Mode.wrap, [4, 5], [3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2]),
      (.wrap, [-1, 3], [2, 3, 2, 3, 2]), (.wrap, [5, -2], [1, 1, 1, 1, 1, 1]),
      (.reflect, [4, 5], [1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2]),
      (.reflect, [2, -1], [1, 2, 1, 2]), (.reflect, [-2, 2], [3, 3, 3]),
      (.edge, [2, -2], [1, 1, 1]),
    ] as [(Pad.Mode, [Int64], [Float])])
  func padGoesOn(_ mode: Pad.Mode, _ pads: [Int64], _ result: [Float]) throws {
    try expect(
      .pad(Pad(mode: mode)), [floats([1, 2, 3], [3]), integers(pads)],
      gives: [floats(result, [result.count])])
  }

  @Test func padAxes() throws {
    try expect(
      .pad(Pad(mode: .constant)),
      [ramp([2, 2]), integers([2, 1]), floats([-1], []), integers([-1])],
      gives: [floats([-1, -1, -3, 2, -1, -1, -1, 0, -2, -1], [2, 5])])
  }

  @Test func padIntegers() throws {
    try expect(
      .pad(Pad(mode: .constant)),
      [integers([1, 2]), integers([1, 1]), integers([7], [])],
      gives: [integers([7, 1, 2, 7])])
  }

  @Test func padBools() throws {
    try expect(
      .pad(Pad(mode: .constant)),
      [bools([true]), integers([1, 0])],
      gives: [bools([false, true])])
  }
}
