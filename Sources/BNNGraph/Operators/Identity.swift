import BNNTensor

/// ONNX `Identity`, and `Dropout` at inference.
public struct Identity: Operator, Hashable {
  public init() {}

  public var name: String { "Identity" }
}

extension Identity {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    return [ResultType(x.elementType, x.shape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    [try inputs.required(0)]
  }
}
