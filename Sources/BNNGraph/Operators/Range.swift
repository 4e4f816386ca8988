import BNNTensor

/// ONNX `Range`: start, limit, delta.
public struct Range: Operator, Hashable {
  public init() {}

  public var name: String { "Range" }
}
