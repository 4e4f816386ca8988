import BNNTensor

/// ONNX `Split`. Input x and optional lengths; without them `parts` equal parts (the last may be
/// smaller).
public struct Split: Operator, Hashable {
  public var axis: Int
  public var parts: Int

  public init(axis: Int, parts: Int) {
    self.axis = axis
    self.parts = parts
  }

  public var name: String { "Split" }
}

extension Split {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    let axis = try checkedAxis(axis, rank: x.shape.rank)
    return try lengths(inputs, extent: x.shape[axis]).map { length in
      var shape = x.shape
      shape.dimensions[axis] = length
      return ResultType(x.elementType, shape)
    }
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let types = try inferTypes(inputs.facts)
    let x = try inputs.required(0)
    let axis = try checkedAxis(axis, rank: x.shape.rank)
    let strides = x.shape.strides
    var offset = 0
    var parts: [Tensor] = []
    for type in types {
      parts.append(
        x.gathering(StridedLayout(shape: type.shape, strides: strides, offset: offset)))
      offset += type.shape[axis] * strides[axis]
    }
    return parts
  }

  private func lengths(_ inputs: [OperandFact?], extent: Int) throws(OperatorError) -> [Int] {
    if let lengths = try inputs.optionalIntegers(1) {
      var rest = extent
      for length in lengths where length >= 0 && length <= rest { rest -= length }
      guard rest == 0, lengths.allSatisfy({ $0 >= 0 && $0 <= extent }),
        lengths.reduce(0, &+) == extent
      else {
        throw .invalidValue(
          input: 1, expected: "lengths that add up to \(extent)", found: "\(lengths)")
      }
      return lengths
    }
    guard parts >= 1, parts <= 1 << 16 else {
      throw .invalidAttribute(name: "num_outputs", value: "\(parts)", expected: "a count of parts")
    }
    let length = extent / parts + (extent % parts == 0 ? 0 : 1)
    return (0..<parts).map { max(0, min(length, extent - $0 * length)) }
  }
}
