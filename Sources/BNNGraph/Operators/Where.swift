import BNNTensor

/// ONNX `Where`: condition, x, y.
public struct Where: Operator, Hashable {
  public init() {}

  public var name: String { "Where" }
}
