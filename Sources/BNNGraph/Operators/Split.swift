import BNNTensor

/// ONNX `Split`. Input x and optional lengths; without them `parts` equal parts (the last may be
/// smaller).
public struct Split: Operator, Hashable {
  public var axis: Int
  public var parts: Int

  public init(axis: Int, parts: Int) {
    self.axis = axis
    self.parts = parts
  }

  public var name: String { "Split" }
}
