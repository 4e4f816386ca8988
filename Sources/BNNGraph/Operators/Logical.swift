import BNNTensor

/// Logic on bools with broadcasting; `not` has one operand.
public struct Logical: Operator, Hashable {
  public var kind: Kind

  public typealias Kind = LogicalFunction

  public init(kind: Kind) {
    self.kind = kind
  }

  public var name: String { kind.rawValue }
}

extension Logical {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let a = try inputs.operand(0, of: .bool)
    if kind == .not { return [ResultType(.bool, a.shape)] }
    let b = try inputs.operand(1, of: .bool)
    return [try ResultType(.bool, checking: broadcastShape(a.shape, b.shape))]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let a = try inputs.required(0)
    if kind == .not { return [Tensor(a.bools.map { !$0 }, shape: a.shape)] }
    let b = try inputs.required(1)
    let plan = BroadcastPlan(a.shape, b.shape, result: type.shape)
    let result =
      switch kind {
      case .and: plan.map(a.bools, b.bools) { $0 && $1 }
      case .or: plan.map(a.bools, b.bools) { $0 || $1 }
      case .xor, .not: plan.map(a.bools, b.bools) { $0 != $1 }
      }
    return [Tensor(result, shape: type.shape)]
  }
}
