import BNNTensor

/// ONNX `Unsqueeze`. Inputs: x, axes.
public struct Unsqueeze: Operator, Hashable {
  public init() {}

  public var name: String { "Unsqueeze" }
}
