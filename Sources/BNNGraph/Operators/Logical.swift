import BNNTensor

/// Logic on bools with broadcasting; `not` has one operand.
public struct Logical: Operator, Hashable {
  public var kind: Kind

  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case and = "And", or = "Or", xor = "Xor", not = "Not"
  }

  public init(kind: Kind) {
    self.kind = kind
  }

  public var name: String { kind.rawValue }
}
