import BNNTensor

/// ONNX `Size`: the int64 number of elements.
public struct Size: Operator, Hashable {
  public init() {}

  public var name: String { "Size" }
}

extension Size {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    _ = try inputs.required(0)
    return [ResultType(.int64, [])]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    [Tensor([Int64(try inputs.required(0).count)], shape: [])]
  }

  public func valuesFromShapes(_ inputs: [OperandFact?]) throws(OperatorError) -> [Tensor]? {
    [Tensor([Int64(try inputs.required(0).shape.count)], shape: [])]
  }
}
