import BNNTensor

/// Arithmetic on two operands with broadcasting.
public struct ElementwiseBinary: Operator, Hashable {
  public var kind: Kind

  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case add = "Add", subtract = "Sub", multiply = "Mul", divide = "Div"
    case power = "Pow", maximum = "Max", minimum = "Min", remainder = "Mod"
  }

  public init(kind: Kind) {
    self.kind = kind
  }

  public var name: String { kind.rawValue }
}
