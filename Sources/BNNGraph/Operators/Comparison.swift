import BNNTensor

/// Compares two operands with broadcasting; the result is bool.
public struct Comparison: Operator, Hashable {
  public var kind: Kind

  public typealias Kind = ComparisonFunction

  public init(kind: Kind) {
    self.kind = kind
  }

  public var name: String { kind.rawValue }
}

extension Comparison {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let (a, b) = (try inputs.required(0), try inputs.required(1))
    guard a.elementType != .sign, a.elementType != .bool || kind == .equal else {
      throw .wrongElementType(input: 0, found: a.elementType)
    }
    guard a.elementType == b.elementType else {
      throw .wrongElementType(input: 1, found: b.elementType)
    }
    return [try ResultType(.bool, checking: broadcastShape(a.shape, b.shape))]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (a, b) = (try inputs.required(0), try inputs.required(1))
    let plan = BroadcastPlan(a.shape, b.shape, result: type.shape)
    let result =
      switch a.storage {
      case .float(let elements): compare(elements, b.floats, plan)
      case .double(let elements): compare(elements, b.doubles, plan)
      case .integer(let elements) where a.elementType == .uint64:
        compare(
          elements.map { UInt64(bitPattern: $0) }, b.integers.map { UInt64(bitPattern: $0) }, plan)
      default: compare(a.integers, b.integers, plan)
      }
    return [Tensor(result, shape: type.shape)]
  }

  /// Every comparison with NaN is false.
  private func compare<T: Comparable>(_ a: [T], _ b: [T], _ plan: BroadcastPlan) -> [Bool] {
    switch kind {
    case .equal: plan.map(a, b) { $0 == $1 }
    case .less: plan.map(a, b) { $0 < $1 }
    case .lessOrEqual: plan.map(a, b) { $0 <= $1 }
    case .greater: plan.map(a, b) { $0 > $1 }
    case .greaterOrEqual: plan.map(a, b) { $0 >= $1 }
    }
  }
}
