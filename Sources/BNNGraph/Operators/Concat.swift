import BNNTensor

/// ONNX `Concat`. `axis` may be negative.
public struct Concat: Operator, Hashable {
  public var axis: Int

  public init(axis: Int) {
    self.axis = axis
  }

  public var name: String { "Concat" }
}

extension Concat {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let first = try inputs.required(0)
    let axis = try checkedAxis(axis, rank: first.shape.rank)
    var extents = first.shape.dimensions
    for index in inputs.indices.dropFirst() {
      let next = try inputs.operand(index, of: first.elementType)
      var expected = first.shape.dimensions
      if next.shape.rank == expected.count { expected[axis] = next.shape[axis] }
      guard next.shape.dimensions == expected else {
        throw .shapeMismatch(
          input: index, expected: "\(first.shape) except in axis \(axis)", found: next.shape)
      }
      let (sum, overflow) = extents[axis].addingReportingOverflow(next.shape[axis])
      guard !overflow else { throw .tooLarge(next.shape) }
      extents[axis] = sum
    }
    return [try ResultType(first.elementType, checking: extents)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let axis = try checkedAxis(axis, rank: type.shape.rank)
    let parts = inputs.compactMap { $0 }
    let outer = type.shape.dimensions.prefix(axis).reduce(1, *)
    var starts: [Int] = []
    var next = 0
    for part in parts {
      starts.append(next)
      next += part.count
    }
    var indices: [Int] = []
    indices.reserveCapacity(type.shape.count)
    for row in 0..<outer {
      for (part, start) in zip(parts, starts) {
        let length = part.count / outer
        indices.append(contentsOf: start + row * length..<start + (row + 1) * length)
      }
    }
    let all = Tensor.joined(parts, elementType: type.elementType)
    return [all.gathering(indices, shape: type.shape)]
  }
}
