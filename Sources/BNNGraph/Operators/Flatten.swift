import BNNTensor

/// ONNX `Flatten` to a matrix.
public struct Flatten: Operator, Hashable {
  public var axis: Int

  public init(axis: Int = 1) {
    self.axis = axis
  }

  public var name: String { "Flatten" }
}
