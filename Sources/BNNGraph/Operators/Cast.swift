import BNNTensor

/// ONNX `Cast`, `CastLike`.
public struct Cast: Operator, Hashable {
  public var to: ElementType

  public init(to: ElementType) {
    self.to = to
  }

  public var name: String { "Cast" }
}
