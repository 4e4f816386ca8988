import BNNTensor

/// ONNX `Reshape`. Inputs: x, shape.
public struct Reshape: Operator, Hashable {
  /// A 0 in the shape means an extent of 0, not a copy.
  public var allowsZero: Bool

  public init(allowsZero: Bool = false) {
    self.allowsZero = allowsZero
  }

  public var name: String { "Reshape" }
}

extension Reshape {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    var extents = try inputs.integers(1)
    for axis in extents.indices where extents[axis] == 0 && !allowsZero {
      guard axis < x.shape.rank else {
        throw .invalidValue(
          input: 1, expected: "a 0 only where x has a dimension", found: "\(extents)")
      }
      extents[axis] = x.shape[axis]
    }
    let open = extents.indices.filter { extents[$0] == -1 }
    for axis in open { extents[axis] = 1 }
    guard open.count <= 1, extents.allSatisfy({ $0 >= 0 }) else {
      throw .invalidValue(
        input: 1, expected: "extents and at most one -1", found: "\(try inputs.integers(1))")
    }
    let known = try ResultType(x.elementType, checking: extents).shape.count
    if let axis = open.first, known > 0 { extents[axis] = x.shape.count / known }
    guard Shape(extents).checkedCount == x.shape.count, open.isEmpty || known > 0 else {
      throw .shapeMismatch(
        input: 0, expected: "as many elements as \(try inputs.integers(1))", found: x.shape)
    }
    return [ResultType(x.elementType, Shape(extents))]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    return [try inputs.required(0).withShape(type.shape)]
  }
}
