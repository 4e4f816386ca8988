import BNNTensor

/// ONNX `ReduceMean`, `ReduceSum` and so on. Inputs: x, optional axes (attributes of old opsets
/// are imported as constants).
public struct Reduce: Operator, Hashable {
  public var kind: Kind
  public var keepDimensions: Bool
  /// ONNX `noop_with_empty_axes`.
  public var emptyAxesIsIdentity: Bool

  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case mean = "ReduceMean", sum = "ReduceSum", product = "ReduceProd"
    case maximum = "ReduceMax", minimum = "ReduceMin"
    case l1 = "ReduceL1", l2 = "ReduceL2", sumSquare = "ReduceSumSquare"
    case logSum = "ReduceLogSum", logSumExp = "ReduceLogSumExp"
  }

  public init(kind: Kind, keepDimensions: Bool = true, emptyAxesIsIdentity: Bool = false) {
    self.kind = kind
    self.keepDimensions = keepDimensions
    self.emptyAxesIsIdentity = emptyAxesIsIdentity
  }

  public var name: String { kind.rawValue }
}
