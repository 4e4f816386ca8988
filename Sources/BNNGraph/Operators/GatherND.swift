import BNNTensor

/// ONNX `GatherND`: the last dimension of the indices names positions in x. Inputs: x, indices.
public struct GatherND: Operator, Hashable {
  /// Leading dimensions that x and the indices share.
  public var batchDimensions: Int

  public init(batchDimensions: Int = 0) {
    self.batchDimensions = batchDimensions
  }

  public var name: String { "GatherND" }
}

extension GatherND {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    let depth = try TupleIndices.depth(of: indices, in: x.shape, batchDimensions)
    guard
      x.shape.dimensions.prefix(batchDimensions) == indices.shape.dimensions.prefix(batchDimensions)
    else {
      throw .shapeMismatch(
        input: 1, expected: "the first \(batchDimensions) extents of \(x.shape)",
        found: indices.shape)
    }
    return [
      try ResultType(
        x.elementType,
        checking: indices.shape.dimensions.dropLast()
          + x.shape.dimensions.dropFirst(batchDimensions + depth))
    ]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    let tuples = try TupleIndices(indices, in: x.shape, batchDimensions)
    var sources: [Int] = []
    sources.reserveCapacity(type.shape.count)
    for start in tuples.starts { sources.append(contentsOf: start..<start + tuples.length) }
    return [x.gathering(sources, shape: type.shape)]
  }
}

/// Tuples of indices, in the last dimension of a tensor, that each name a slice of another one.
struct TupleIndices {
  /// Elements of a slice, which are neighbours.
  let length: Int
  /// The row-major index of each slice's first element.
  let starts: [Int]

  /// The tuples' length, checked.
  static func depth(
    of indices: OperandFact, in shape: Shape, _ batchDimensions: Int
  ) throws(OperatorError) -> Int {
    guard indices.elementType.isInteger else {
      throw .wrongElementType(input: 1, found: indices.elementType)
    }
    guard let depth = indices.shape.dimensions.last else {
      throw .wrongRank(input: 1, expected: "at least 1", found: indices.shape)
    }
    guard batchDimensions >= 0, batchDimensions < max(1, min(shape.rank, indices.shape.rank)) else {
      throw .invalidAttribute(
        name: "batch_dims", value: "\(batchDimensions)", expected: "less than both ranks")
    }
    guard depth <= shape.rank - batchDimensions else {
      throw .shapeMismatch(
        input: 1, expected: "at most \(shape.rank - batchDimensions) in the last dimension",
        found: indices.shape)
    }
    return depth
  }

  /// The indices must have been checked by ``depth(of:in:_:)``.
  init(_ indices: Tensor, in shape: Shape, _ batchDimensions: Int) throws(OperatorError) {
    let depth = try TupleIndices.depth(of: OperandFact(indices), in: shape, batchDimensions)
    let strides = shape.strides
    length = shape.dimensions.dropFirst(batchDimensions + depth).reduce(1, *)
    let outer = indices.shape.dimensions.dropLast()
    let count = outer.reduce(1, *)
    let batches = outer.prefix(batchDimensions).reduce(1, *)
    let batchStride = shape.dimensions.dropFirst(batchDimensions).reduce(1, *)
    let numbers = indices.integers
    var starts: [Int] = []
    starts.reserveCapacity(count)
    for tuple in 0..<count {
      var start = tuple / (count / batches) * batchStride
      for position in 0..<depth {
        let axis = batchDimensions + position
        start +=
          try checkedIndex(numbers[tuple * depth + position], extent: shape[axis]) * strides[axis]
      }
      starts.append(start)
    }
    self.starts = starts
  }
}
