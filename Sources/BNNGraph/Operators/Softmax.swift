import BNNTensor

/// ONNX `Softmax`, `LogSoftmax`. Before opset 13 all axes from `axis` on are flattened together.
public struct Softmax: Operator, Hashable {
  public var axis: Int
  public var logarithm: Bool
  /// The meaning before opset 13.
  public var flattens: Bool

  public init(axis: Int = -1, logarithm: Bool = false, flattens: Bool = false) {
    self.axis = axis
    self.logarithm = logarithm
    self.flattens = flattens
  }

  public var name: String { logarithm ? "LogSoftmax" : "Softmax" }
}
