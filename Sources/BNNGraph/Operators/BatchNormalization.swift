import BNNTensor

/// ONNX `BatchNormalization` at inference. Inputs: x [N, C, …], γ, β, mean, variance [C].
public struct BatchNormalization: Operator, Hashable {
  public var epsilon: Float

  public init(epsilon: Float = 1e-5) {
    self.epsilon = epsilon
  }

  public var name: String { "BatchNormalization" }
}
