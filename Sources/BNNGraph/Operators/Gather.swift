import BNNTensor

/// ONNX `Gather`. Inputs: x, indices.
public struct Gather: Operator, Hashable {
  public var axis: Int

  public init(axis: Int = 0) {
    self.axis = axis
  }

  public var name: String { "Gather" }
}
