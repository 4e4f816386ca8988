import BNNTensor

/// Applies a function to each element. ONNX `Relu`, `Sigmoid`, `Sign`, `Neg`, `Not` (as
/// comparison's partner) and so on.
public struct ElementwiseUnary: Operator, Hashable {
  public var function: PointwiseFunction

  public init(function: PointwiseFunction) {
    self.function = function
  }

  public var name: String { "\(function)" }
}
