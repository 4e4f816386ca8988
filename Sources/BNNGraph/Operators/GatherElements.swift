import BNNTensor

/// ONNX `GatherElements`: each index names a position along the axis. Inputs: x, indices.
public struct GatherElements: Operator, Hashable {
  public var axis: Int

  public init(axis: Int = 0) {
    self.axis = axis
  }

  public var name: String { "GatherElements" }
}

extension GatherElements {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    try ElementIndices.check(x.shape, indices, axis: axis)
    return [ResultType(x.elementType, indices.shape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    let sources = try ElementIndices.positions(in: x.shape, indices, axis: axis)
    return [x.gathering(sources, shape: indices.shape)]
  }
}

/// Indices along one axis, one for every element of a smaller tensor of the same rank.
enum ElementIndices {
  static func check(
    _ shape: Shape, _ indices: OperandFact, axis: Int
  ) throws(OperatorError) {
    guard indices.elementType.isInteger else {
      throw .wrongElementType(input: 1, found: indices.elementType)
    }
    let axis = try checkedAxis(axis, rank: shape.rank)
    guard indices.shape.rank == shape.rank,
      (0..<shape.rank).allSatisfy({ $0 == axis || indices.shape[$0] <= shape[$0] })
    else {
      throw .shapeMismatch(
        input: 1, expected: "at most \(shape) except in axis \(axis)", found: indices.shape)
    }
  }

  /// The row-major index in a tensor of `shape` that each of the checked indices means.
  static func positions(
    in shape: Shape, _ indices: Tensor, axis: Int
  ) throws(OperatorError) -> [Int] {
    let axis = try checkedAxis(axis, rank: shape.rank)
    let extent = shape[axis]
    let strides = shape.strides
    var own = strides
    own[axis] = 0
    var result = StridedLayout(shape: indices.shape, strides: own).indices
    for (element, index) in indices.integers.enumerated() {
      result[element] += try checkedIndex(index, extent: extent) * strides[axis]
    }
    return result
  }
}

/// The position that an element of the second operand names, which may count from the end.
func checkedIndex(_ index: Int64, extent: Int) throws(OperatorError) -> Int {
  guard index >= -extent, index < extent else {
    throw .invalidValue(input: 1, expected: "indices of \(extent) positions", found: "\(index)")
  }
  return index < 0 ? Int(index) + extent : Int(index)
}
