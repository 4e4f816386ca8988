import BNNTensor

@testable import BNNFormat

extension SampleModels {
  static func array(
    _ operation: ArrayOperation, _ inputs: [PhysicalType], _ outputs: PhysicalType...
  ) -> BinaryModel {
    model(.array(operation), inputs: inputs, outputs: outputs)
  }

  static func integers(_ dimensions: Dimension...) -> PhysicalType {
    PhysicalType(.int64, dimensions)
  }
  static func bools(_ dimensions: Dimension...) -> PhysicalType { PhysicalType(.bool, dimensions) }

  static let constants: [Tensor] = [
    Tensor([1.5, -.infinity, .nan] as [Float], shape: [1, 3]),
    Tensor([.min, 0, .max] as [Int64], shape: [3]),
    Tensor([-7] as [Int64], shape: [], elementType: .int32),
    Tensor([true, false, true], shape: [3, 1]),
    Tensor([] as [Float], shape: [2, 0]),
  ]

  /// One model of every operation on arrays.
  static var arrays: [BinaryModel] {
    constants.map { tensor in
      let dimensions = tensor.shape.dimensions.map { Dimension.fixed($0) }
      return array(.constant(tensor), [], PhysicalType(tensor.elementType, dimensions))
    } + elements + places + indexed + sums
  }

  private static var elements: [BinaryModel] {
    let image = reals(.batch(1), .fixed(2), .fixed(3))
    let row = reals(.fixed(3))
    let numbers = integers(.fixed(2), .fixed(1))
    let tests = bools(.batch(1), .fixed(1), .fixed(3))
    return [
      array(.elementwise(.arithmetic(.subtract)), [image, row], image),
      array(.elementwise(.arithmetic(.power)), [numbers, row], integers(.fixed(2), .fixed(3))),
      array(
        .elementwise(.comparison(.less)), [row, image],
        bools(.batch(1), .fixed(2), .fixed(3))),
      array(.elementwise(.logical(.not)), [tests], tests),
      array(.elementwise(.bitwise(.shiftLeft)), [numbers, numbers], numbers),
      array(.elementwise(.select), [tests, image, row], image),
      array(.cast(.bool), [image], bools(.batch(1), .fixed(2), .fixed(3))),
      array(.cumulativeSum(axis: 1, exclusive: true, reverse: false), [image], image),
      array(
        .argumentExtremum(isMaximum: false, axis: 2, keepDimensions: false, selectsLast: true),
        [image], integers(.batch(1), .fixed(2))),
      array(
        .topK(axis: 2, count: 2, largest: true), [image],
        reals(.batch(1), .fixed(2), .fixed(2)), integers(.batch(1), .fixed(2), .fixed(2))),
    ]
  }

  private static var places: [BinaryModel] {
    let image = reals(.batch(1), .fixed(2), .fixed(3))
    return [
      array(
        .slice(starts: [0, 1, 2], steps: [1, 1, -2]), [image],
        reals(.batch(1), .fixed(1), .fixed(2))),
      array(
        .slice(starts: [0, 3], steps: [1, 2]), [signs(.batch(1), .fixed(9))],
        signs(.batch(1), .fixed(3))),
      array(
        .pad(.constant, begin: [0, 1, -1], end: [0, 0, 2]), [image, reals(.fixed(1))],
        reals(.batch(1), .fixed(3), .fixed(4))),
      array(
        .pad(.reflect, begin: [0, 1, 2], end: [0, 0, 0]), [image],
        reals(.batch(1), .fixed(3), .fixed(5))),
      array(.expand, [reals(.fixed(2), .fixed(1))], reals(.batch(3), .fixed(2), .fixed(4))),
      array(
        .resample(
          [
            nil, nil,
            ResampleTable(counts: [1, 0, 2], indices: [2, 0, 1], weights: [1, 0.5, 0.5]),
          ],
          outside: 7), [image], image),
    ]
  }

  private static var indexed: [BinaryModel] {
    let image = reals(.batch(1), .fixed(2), .fixed(3))
    let table = reals(.fixed(5), .fixed(4))
    return [
      array(
        .gather(axis: 0), [table, integers(.batch(1), .fixed(2))],
        reals(.batch(1), .fixed(2), .fixed(4))),
      array(
        .gatherElements(axis: 2), [image, integers(.batch(1), .fixed(1), .fixed(7))],
        reals(.batch(1), .fixed(1), .fixed(7))),
      array(
        .gatherND(batchDimensions: 1), [image, integers(.batch(1), .fixed(4), .fixed(1))],
        reals(.batch(1), .fixed(4), .fixed(3))),
      array(
        .scatterElements(axis: 1, .maximum),
        [table, integers(.fixed(2), .fixed(3)), reals(.fixed(2), .fixed(3))], table),
      array(
        .scatterND(.none), [table, integers(.fixed(2), .fixed(1)), reals(.fixed(2), .fixed(4))],
        table),
    ]
  }

  private static var sums: [BinaryModel] {
    let x = reals(.batch(1), .fixed(4), .fixed(5))
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: [2], strides: [2]), groups: 2)
    return [
      array(
        .matrixProduct, [x, reals(.fixed(1), .fixed(5), .fixed(6))],
        reals(.batch(1), .fixed(4), .fixed(6))),
      array(
        .convolution(geometry), [x, reals(.fixed(6), .fixed(2), .fixed(2))],
        reals(.batch(1), .fixed(6), .fixed(2))),
      array(
        .transposedConvolution(geometry, outputPadding: [1]),
        [x, reals(.fixed(4), .fixed(3), .fixed(2))], reals(.batch(1), .fixed(6), .fixed(11))),
      array(
        .maximumIndices(WindowGeometry(kernel: [2]), ceiling: false, columnMajor: true),
        [reals(.fixed(2), .fixed(4), .fixed(5))], integers(.fixed(2), .fixed(4), .fixed(4))),
    ]
  }
}
