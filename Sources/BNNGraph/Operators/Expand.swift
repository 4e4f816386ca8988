import BNNTensor

/// ONNX `Expand`. Inputs: x, shape.
public struct Expand: Operator, Hashable {
  public init() {}

  public var name: String { "Expand" }
}
