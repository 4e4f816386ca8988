import BNNTensor

/// ONNX `Gemm`: alpha · A' · B' + beta · C. Inputs: A, B, optional C.
public struct Gemm: Operator, Hashable {
  public var alpha: Float
  public var beta: Float
  public var transposeA: Bool
  public var transposeB: Bool

  public init(alpha: Float = 1, beta: Float = 1, transposeA: Bool = false, transposeB: Bool = false)
  {
    self.alpha = alpha
    self.beta = beta
    self.transposeA = transposeA
    self.transposeB = transposeB
  }

  public var name: String { "Gemm" }
}
