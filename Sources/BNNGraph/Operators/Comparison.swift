import BNNTensor

/// Compares two operands with broadcasting; the result is bool.
public struct Comparison: Operator, Hashable {
  public var kind: Kind

  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case equal = "Equal", less = "Less", lessOrEqual = "LessOrEqual"
    case greater = "Greater", greaterOrEqual = "GreaterOrEqual"
  }

  public init(kind: Kind) {
    self.kind = kind
  }

  public var name: String { kind.rawValue }
}
