import BNNTensor

/// ONNX `Slice`. Inputs: x, starts, ends, optional axes, optional steps (attributes of old opsets
/// are imported as constants).
public struct Slice: Operator, Hashable {
  public init() {}

  public var name: String { "Slice" }
}
