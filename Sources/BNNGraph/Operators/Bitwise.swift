import BNNTensor

/// Operations on the bits of integers with broadcasting; `not` has one operand. ONNX
/// `BitwiseAnd`, `BitwiseOr`, `BitwiseXor`, `BitwiseNot`, `BitShift`.
public struct Bitwise: Operator, Hashable {
  public var kind: Kind

  public typealias Kind = BitwiseFunction

  public init(kind: Kind) {
    self.kind = kind
  }

  public var name: String { kind.rawValue }
}

extension Bitwise {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let a = try inputs.required(0)
    guard a.elementType.isInteger else {
      throw .wrongElementType(input: 0, found: a.elementType)
    }
    if kind == .not { return [ResultType(a.elementType, a.shape)] }
    let b = try inputs.operand(1, of: a.elementType)
    return [try ResultType(a.elementType, checking: broadcastShape(a.shape, b.shape))]
  }

  /// A shift by the type's width or more, or by a negative number, gives 0.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let a = try inputs.required(0)
    let result: [Int64]
    if kind == .not {
      result = a.integers.map { ~$0 }
    } else {
      let b = try inputs.required(1)
      let plan = BroadcastPlan(a.shape, b.shape, result: type.shape)
      let shiftable = 0..<Int64(type.elementType.bitWidth)
      result =
        switch kind {
        case .and, .not: plan.map(a.integers, b.integers) { $0 & $1 }
        case .or: plan.map(a.integers, b.integers) { $0 | $1 }
        case .xor: plan.map(a.integers, b.integers) { $0 ^ $1 }
        case .shiftLeft:
          plan.map(a.integers, b.integers) { shiftable.contains($1) ? $0 << $1 : 0 }
        case .shiftRight:
          plan.map(a.integers, b.integers) { x, count in
            guard shiftable.contains(count) else { return 0 }
            let isUnsigned = type.elementType == .uint64
            return isUnsigned ? Int64(bitPattern: UInt64(bitPattern: x) >> count) : x >> count
          }
        }
    }
    return [
      Tensor(
        result.map { $0.narrowed(to: type.elementType) }, shape: type.shape,
        elementType: type.elementType)
    ]
  }
}
