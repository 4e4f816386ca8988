import BNNTensor

/// ONNX `Size`: the int64 number of elements.
public struct Size: Operator, Hashable {
  public init() {}

  public var name: String { "Size" }
}
