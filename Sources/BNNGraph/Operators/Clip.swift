import BNNTensor

/// ONNX `Clip`. Inputs: x, optional scalar minimum, optional scalar maximum (attributes of old
/// opsets are imported as constants).
public struct Clip: Operator, Hashable {
  public init() {}

  public var name: String { "Clip" }
}
