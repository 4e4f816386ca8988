import BNNTensor

/// ONNX `MatMul`: NumPy's matrix product with broadcasting.
public struct MatMul: Operator, Hashable {
  public init() {}

  public var name: String { "MatMul" }
}
