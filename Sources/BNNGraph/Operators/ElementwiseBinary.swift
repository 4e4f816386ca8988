import BNNTensor

/// Arithmetic on two operands with broadcasting.
public struct ElementwiseBinary: Operator, Hashable {
  public var kind: Kind

  public typealias Kind = BinaryFunction

  public init(kind: Kind) {
    self.kind = kind
  }

  public var name: String { kind.rawValue }
}

extension ElementwiseBinary {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let (a, b) = (try inputs.number(0), try inputs.number(1))
    guard a.elementType == b.elementType || kind == .power else {
      throw .wrongElementType(input: 1, found: b.elementType)
    }
    return [try ResultType(a.elementType, checking: broadcastShape(a.shape, b.shape))]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (a, b) = (try inputs.required(0), try inputs.required(1))
    let plan = BroadcastPlan(a.shape, b.shape, result: type.shape)
    switch a.storage {
    case .double(let elements):
      return [Tensor(floatResult(elements, b.doubles, plan), shape: type.shape)]
    case .integer(let elements) where b.elementType.isFloatingPoint:
      let power = plan.map(elements, b.doubles) {
        Int64(saturating: Double.power(Double($0), $1)).clamped(to: type.elementType)
      }
      return [Tensor(power, shape: type.shape, elementType: type.elementType)]
    case .integer(let elements):
      let isUnsigned64 = type.elementType == .uint64
      let function = isUnsigned64 ? unsignedFunction : kind.integerFunction
      let result = plan.map(elements, b.integers) { x, y in
        function(x, y).narrowed(to: type.elementType)
      }
      return [Tensor(result, shape: type.shape, elementType: type.elementType)]
    default:
      let result = floatResult(a.floats, b.floats, plan)
      return [Tensor(rounding: result, shape: type.shape, to: type.elementType)]
    }
  }

  private func floatResult<T: ElementaryFloat>(
    _ a: [T], _ b: [T], _ plan: BroadcastPlan
  ) -> [T] {
    switch kind {
    case .add: plan.map(a, b) { $0 + $1 }
    case .subtract: plan.map(a, b) { $0 - $1 }
    case .multiply: plan.map(a, b) { $0 * $1 }
    case .divide: plan.map(a, b) { $0 / $1 }
    default: plan.map(a, b, kind.floatFunction())
    }
  }

  /// The same on the bit patterns of unsigned 64-bit integers.
  private var unsignedFunction: @Sendable (Int64, Int64) -> Int64 {
    let wrapping = kind.integerFunction
    let function: @Sendable (UInt64, UInt64) -> UInt64
    switch kind {
    case .divide: function = { $1 == 0 ? 0 : $0 / $1 }
    case .remainder: function = { $1 == 0 ? 0 : $0 % $1 }
    case .maximum: function = { max($0, $1) }
    case .minimum: function = { min($0, $1) }
    default: return wrapping
    }
    return { Int64(bitPattern: function(UInt64(bitPattern: $0), UInt64(bitPattern: $1))) }
  }
}
