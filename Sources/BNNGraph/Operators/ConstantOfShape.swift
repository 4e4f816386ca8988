import BNNTensor

/// ONNX `ConstantOfShape`. Input: shape.
public struct ConstantOfShape: Operator {
  /// One element.
  public var value: Tensor

  public init(value: Tensor) {
    self.value = value
  }

  public var name: String { "ConstantOfShape" }
}

extension ConstantOfShape {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    guard value.count == 1, value.elementType != .sign else {
      throw .invalidAttribute(
        name: "value", value: "\(value.elementType)\(value.shape)", expected: "one number")
    }
    return [try ResultType(value.elementType, checking: inputs.integers(0))]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    [Tensor(repeating: value, shape: try inferTypes(inputs.facts)[0].shape)]
  }
}
