import BNNTensor

/// ONNX `Transpose`: output axis i is input axis `permutation[i]`; empty reverses.
public struct Transpose: Operator, Hashable {
  public var permutation: [Int]

  public init(permutation: [Int]) {
    self.permutation = permutation
  }

  public var name: String { "Transpose" }
}
