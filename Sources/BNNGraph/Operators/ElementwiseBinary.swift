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
      let function = isUnsigned64 ? unsignedFunction : integerFunction
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
    case .power: plan.map(a, b) { T.power($0, $1) }
    case .maximum: plan.map(a, b) { propagatingMaximum($0, $1) }
    case .minimum: plan.map(a, b) { propagatingMinimum($0, $1) }
    // The sign of the dividend, as ONNX demands for floats.
    case .remainder: plan.map(a, b) { $0.truncatingRemainder(dividingBy: $1) }
    }
  }

  /// Wraps around. Division truncates, the remainder has the sign of the divisor; both are 0 for a
  /// divisor of 0.
  private var integerFunction: (Int64, Int64) -> Int64 {
    switch kind {
    case .add: { $0 &+ $1 }
    case .subtract: { $0 &- $1 }
    case .multiply: { $0 &* $1 }
    case .divide: { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }
    case .power: integerPower
    case .maximum: { max($0, $1) }
    case .minimum: { min($0, $1) }
    case .remainder:
      { a, b in
        guard b != 0 else { return 0 }
        let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
        return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
      }
    }
  }

  /// The same on the bit patterns of unsigned 64-bit integers.
  private var unsignedFunction: (Int64, Int64) -> Int64 {
    let wrapping = integerFunction
    let function: (UInt64, UInt64) -> UInt64
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

/// Wraps around; a negative exponent truncates the exact result, 0 for a base of 0.
private func integerPower(_ base: Int64, _ exponent: Int64) -> Int64 {
  guard exponent >= 0 else {
    return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0
  }
  var (result, square, rest): (Int64, Int64, Int64) = (1, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result = result &* square }
    square = square &* square
    rest >>= 1
  }
  return result
}
