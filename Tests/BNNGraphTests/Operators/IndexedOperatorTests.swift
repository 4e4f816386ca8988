import BNNTensor
import Testing

@testable import BNNGraph

/// Operators that take or make positions.
@Suite struct IndexedOperatorTests {
  private let matrix = floats([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3])

  @Test func gatherElements() throws {
    try expect(
      .gatherElements(GatherElements(axis: 1)),
      [floats([1, 2, 3, 4], [2, 2]), integers([0, 0, 1, 0], [2, 2])],
      gives: [floats([1, 1, 4, 3], [2, 2])])
    try expect(
      .gatherElements(GatherElements(axis: 0)),
      [matrix, integers([-2, -1, -3, -1, -3, -3], [2, 3])],
      gives: [floats([4, 8, 3, 7, 2, 3], [2, 3])])
  }

  @Test func gatherND() throws {
    let x = integers([0, 1, 2, 3], [2, 2])
    try expect(
      .gatherND(GatherND()), [x, integers([0, 0, 1, 1], [2, 2])], gives: [integers([0, 3], [2])])
    try expect(
      .gatherND(GatherND()), [x, integers([1, -2], [2, 1])],
      gives: [integers([2, 3, 0, 1], [2, 2])])
    try expect(
      .gatherND(GatherND(batchDimensions: 1)),
      [integers([0, 1, 2, 3, 4, 5, 6, 7], [2, 2, 2]), integers([1, 0], [2, 1])],
      gives: [integers([2, 3, 4, 5], [2, 2])])
  }

  @Test func scatterElements() throws {
    let x = floats([1, 2, 3, 4, 5], [1, 5])
    let (indices, updates) = (integers([1, 1], [1, 2]), floats([1.5, 2.5], [1, 2]))
    for (reduction, element) in [
      (ScatterReduction.none, Float(2.5)), (.add, 6), (.multiply, 7.5), (.maximum, 2.5),
      (.minimum, 1.5),
    ] {
      try expect(
        .scatterElements(ScatterElements(axis: 1, reduction: reduction)), [x, indices, updates],
        gives: [floats([1, element, 3, 4, 5], [1, 5])])
    }
  }

  @Test func `Scattered integers wrap, unsigned ones are compared as such`() throws {
    try expect(
      .scatterElements(ScatterElements(reduction: .add)),
      [integers([100, 0], [2], .int8), integers([0]), integers([100], [1], .int8)],
      gives: [integers([-56, 0], [2], .int8)])
    try expect(
      .scatterElements(ScatterElements(reduction: .maximum)),
      [integers([-1], [1], .uint64), integers([0]), integers([5], [1], .uint64)],
      gives: [integers([-1], [1], .uint64)])
  }

  @Test func scatterND() throws {
    try expect(
      .scatterND(ScatterND()),
      [
        floats([1, 2, 3, 4, 5, 6, 7, 8]), integers([4, 3, 1, 7], [4, 1]), floats([9, 10, 11, 12]),
      ],
      gives: [floats([1, 11, 3, 10, 9, 6, 7, 12])])
    try expect(
      .scatterND(ScatterND(reduction: .add)),
      [matrix, integers([-1, -1], [2, 1]), floats([1, 0, 0, 1, 1, 1], [2, 3])],
      gives: [floats([1, 2, 3, 4, 5, 6, 9, 9, 10], [3, 3])])
  }

  @Test func topK() throws {
    let x = floats([0, 1, 2, 3, 7, 6, 5, 4], [2, 4])
    try expect(
      .topK(TopK()), [x, integers([3])],
      gives: [floats([3, 2, 1, 7, 6, 5], [2, 3]), integers([3, 2, 1, 0, 1, 2], [2, 3])])
    try expect(
      .topK(TopK(axis: 0, largest: false)), [x, integers([1])],
      gives: [floats([0, 1, 2, 3], [1, 4]), integers([0, 0, 0, 0], [1, 4])])
    // Of equals the first; NaN is the largest.
    try expect(
      .topK(TopK()), [floats([1, .nan, 1, 2]), integers([4])],
      gives: [floats([.nan, 2, 1, 1]), integers([1, 3, 0, 2])])
    try expect(
      .topK(TopK()), [integers([-1, 5], [2], .uint64), integers([1])],
      gives: [integers([-1], [1], .uint64), integers([0])])
  }

  @Test(arguments: [Int64(-1), 4, .max])
  func `Impossible counts`(k: Int64) {
    expectError(
      .topK(TopK()), [floats([1, 2, 3]), integers([k])],
      .invalidValue(input: 1, expected: "a count up to 3", found: "[\(k)]"))
  }

  @Test func cumulativeSum() throws {
    let x = floats([1, 2, 3, 4, 5, 6], [2, 3])
    for (exclusive, reverse, sums) in [
      (false, false, [Float(1), 3, 6, 4, 9, 15]), (true, false, [0, 1, 3, 0, 4, 9]),
      (false, true, [6, 5, 3, 15, 11, 6]), (true, true, [5, 3, 0, 11, 6, 0]),
    ] {
      try expect(
        .cumulativeSum(CumulativeSum(exclusive: exclusive, reverse: reverse)),
        [x, integers([-1])], gives: [floats(sums, [2, 3])])
    }
    try expect(
      .cumulativeSum(CumulativeSum()), [integers([100, 100], [2], .int8), integers([0], [])],
      gives: [integers([100, -56], [2], .int8)])
  }

  @Test func `Positions of maxima`() throws {
    let x = floats([1, 5, 2, 5, 3, 9], [1, 1, 2, 3])
    let window = WindowGeometry(kernel: [2, 2])
    try expect(
      .maximumIndices(MaximumIndices(window: window)), [x],
      gives: [integers([1, 5], [1, 1, 1, 2])])
    // Elements 1 and 5 are in rows 0 and 1, columns 1 and 2.
    try expect(
      .maximumIndices(MaximumIndices(window: window, columnMajor: true)), [x],
      gives: [integers([2, 5], [1, 1, 1, 2])])
    // The second channel counts on.
    try expect(
      .maximumIndices(MaximumIndices(window: WindowGeometry(kernel: [2]))),
      [floats([1, 2, 4, 3], [1, 2, 2])], gives: [integers([1, 2], [1, 2, 1])])
  }

  @Test func bitwise() throws {
    let (a, b) = (integers([12, -1], [2], .int8), integers([10, 6], [2], .int8))
    for (kind, expected) in [
      (Bitwise.Kind.and, [Int64(8), 6]), (.or, [14, -1]), (.xor, [6, -7]),
    ] {
      try expect(
        .bitwise(Bitwise(kind: kind)), [a, b], gives: [integers(expected, [2], .int8)])
    }
    try expect(.bitwise(Bitwise(kind: .not)), [a], gives: [integers([-13, 0], [2], .int8)])
    let bytes = integers([129, 1], [2], .uint8)
    try expect(
      .bitwise(Bitwise(kind: .shiftLeft)), [bytes, integers([1, 8], [2], .uint8)],
      gives: [integers([2, 0], [2], .uint8)])
    try expect(
      .bitwise(Bitwise(kind: .shiftRight)),
      [integers([-1], [1], .uint64), integers([63], [1], .uint64)],
      gives: [integers([1], [1], .uint64)])
  }

  @Test(arguments: [Int64(3), -4, .min])
  func `Indices beyond the extent`(index: Int64) {
    let error = OperatorError.invalidValue(
      input: 1, expected: "indices of 3 positions", found: "\(index)")
    for op in [Op.gatherElements(GatherElements()), .gatherND(GatherND())] {
      #expect(throws: error) {
        _ = try op.definition.evaluate([floats([1, 2, 3]), integers([index])])
      }
    }
    #expect(throws: error) {
      _ = try ScatterND().evaluate([
        floats([1, 2, 3]), integers([index], [1, 1]), floats([0]),
      ])
    }
  }
}
