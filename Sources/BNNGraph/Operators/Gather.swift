import BNNTensor

/// ONNX `Gather`. Inputs: x, indices.
public struct Gather: Operator, Hashable {
  public var axis: Int

  public init(axis: Int = 0) {
    self.axis = axis
  }

  public var name: String { "Gather" }
}

extension Gather {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    guard indices.elementType.isInteger else {
      throw .wrongElementType(input: 1, found: indices.elementType)
    }
    let axis = try checkedAxis(axis, rank: x.shape.rank)
    let extents = x.shape.dimensions
    return [
      try ResultType(
        x.elementType,
        checking: extents[..<axis] + indices.shape.dimensions + extents[(axis + 1)...])
    ]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    let axis = try checkedAxis(axis, rank: x.shape.rank)
    let extent = x.shape[axis]
    let outer = x.shape.dimensions.prefix(axis).reduce(1, *)
    let inner = x.shape.dimensions.dropFirst(axis + 1).reduce(1, *)
    var positions: [Int] = []
    for index in indices.integers { positions.append(try checkedIndex(index, extent: extent)) }
    var sources: [Int] = []
    sources.reserveCapacity(type.shape.count)
    for row in 0..<outer {
      for position in positions {
        let start = (row * extent + position) * inner
        sources.append(contentsOf: start..<start + inner)
      }
    }
    return [x.gathering(sources, shape: type.shape)]
  }
}
