import BNNTensor

/// ONNX `Concat`. `axis` may be negative.
public struct Concat: Operator, Hashable {
  public var axis: Int

  public init(axis: Int) {
    self.axis = axis
  }

  public var name: String { "Concat" }
}
