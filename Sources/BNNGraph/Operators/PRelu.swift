import BNNTensor

/// ONNX `PRelu`: x, slope (broadcast to x).
public struct PRelu: Operator, Hashable {
  public init() {}

  public var name: String { "PRelu" }
}
