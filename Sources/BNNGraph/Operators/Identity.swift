import BNNTensor

/// ONNX `Identity`, and `Dropout` at inference.
public struct Identity: Operator, Hashable {
  public init() {}

  public var name: String { "Identity" }
}
