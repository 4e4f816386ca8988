import BNNTensor

/// A constant given by its elements that are not zero.
struct SparseTensor {
  var values: Tensor
  /// Row-major positions, or one row of coordinates per value.
  var indices: Tensor
  var dimensions: [Int64]

  /// Few stored values may stand for a large tensor; this is the largest that is accepted.
  private static let maximumCount = 1 << 28

  func dense() throws(ImportFault) -> Tensor {
    let shape = Shape(dimensions.map { Int($0) })
    guard let count = shape.checkedCount else { throw ImportFault(.invalidShape(dimensions)) }
    guard count <= SparseTensor.maximumCount else { throw ImportFault(.tooLarge(elements: count)) }
    let positions = try positions(in: shape, count: count)
    switch values.storage {
    case .float(let elements):
      return Tensor(
        scatter(elements, to: positions, in: count, zero: 0), shape: shape,
        elementType: values.elementType)
    case .double(let elements):
      return Tensor(scatter(elements, to: positions, in: count, zero: 0), shape: shape)
    case .integer(let elements):
      return Tensor(
        scatter(elements, to: positions, in: count, zero: 0), shape: shape,
        elementType: values.elementType)
    case .bool(let elements):
      return Tensor(scatter(elements, to: positions, in: count, zero: false), shape: shape)
    case .sign: throw ImportFault(.unsupportedElementType("sign"))
    }
  }

  private func positions(in shape: Shape, count: Int) throws(ImportFault) -> [Int] {
    let numbers = indices.integers
    let rank = indices.shape.rank == 2 ? shape.rank : 1
    guard indices.shape.rank == 1 || indices.shape.rank == 2, values.shape.rank == 1,
      indices.shape.dimensions == (indices.shape.rank == 2 ? [values.count, rank] : [values.count])
    else {
      throw ImportFault(.wrongElementCount(found: indices.count, expected: values.count * rank))
    }
    let strides = indices.shape.rank == 2 ? shape.strides : [1]
    let limits = indices.shape.rank == 2 ? shape.dimensions : [count]
    var positions = [Int](repeating: 0, count: values.count)
    for (index, number) in numbers.enumerated() {
      let axis = index % rank
      guard number >= 0, number < Int64(limits[axis]) else {
        throw ImportFault(.invalidSparseIndex(number))
      }
      positions[index / rank] += Int(number) * strides[axis]
    }
    return positions
  }

  private func scatter<Element>(
    _ elements: [Element], to positions: [Int], in count: Int, zero: Element
  ) -> [Element] {
    var result = [Element](repeating: zero, count: count)
    for (element, position) in zip(elements, positions) { result[position] = element }
    return result
  }
}
