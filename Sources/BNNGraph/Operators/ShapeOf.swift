import BNNTensor

/// ONNX `Shape`: int64 extents from `start` to `end`.
public struct ShapeOf: Operator, Hashable {
  public var start: Int
  public var end: Int?

  public init(start: Int = 0, end: Int? = nil) {
    self.start = start
    self.end = end
  }

  public var name: String { "Shape" }
}
