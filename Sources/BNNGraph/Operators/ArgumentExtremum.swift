import BNNTensor

/// ONNX `ArgMax`, `ArgMin`.
public struct ArgumentExtremum: Operator, Hashable {
  public var isMaximum: Bool
  public var axis: Int
  public var keepDimensions: Bool
  /// ONNX `select_last_index`.
  public var selectsLast: Bool

  public init(
    isMaximum: Bool, axis: Int = 0, keepDimensions: Bool = true, selectsLast: Bool = false
  ) {
    self.isMaximum = isMaximum
    self.axis = axis
    self.keepDimensions = keepDimensions
    self.selectsLast = selectsLast
  }

  public var name: String { isMaximum ? "ArgMax" : "ArgMin" }
}
