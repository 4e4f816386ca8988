import BNNTensor

/// ONNX `Squeeze`. Inputs: x, optional axes (attributes are imported as constants).
public struct Squeeze: Operator, Hashable {
  public init() {}

  public var name: String { "Squeeze" }
}
