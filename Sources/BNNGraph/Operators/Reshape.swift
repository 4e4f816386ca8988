import BNNTensor

/// ONNX `Reshape`. Inputs: x, shape.
public struct Reshape: Operator, Hashable {
  /// A 0 in the shape means an extent of 0, not a copy.
  public var allowsZero: Bool

  public init(allowsZero: Bool = false) {
    self.allowsZero = allowsZero
  }

  public var name: String { "Reshape" }
}
