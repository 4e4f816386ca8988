import BNNTensor

/// ONNX `Expand`. Inputs: x, shape.
public struct Expand: Operator, Hashable {
  public init() {}

  public var name: String { "Expand" }
}

extension Expand {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    let extents = try inputs.integers(1)
    guard extents.allSatisfy({ $0 >= 0 }) else {
      throw .invalidValue(input: 1, expected: "extents", found: "\(extents)")
    }
    return [
      try ResultType(x.elementType, checking: broadcastShape(Shape(extents), x.shape, input: 0))
    ]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    return [x.gathering(StridedLayout(broadcasting: x.shape, to: type.shape))]
  }
}
