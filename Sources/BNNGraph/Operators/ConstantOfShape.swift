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
