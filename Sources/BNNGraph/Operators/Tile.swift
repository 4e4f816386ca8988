import BNNTensor

/// ONNX `Tile`. Inputs: x, repeats.
public struct Tile: Operator, Hashable {
  public init() {}

  public var name: String { "Tile" }
}
