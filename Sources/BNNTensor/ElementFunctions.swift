/// Arithmetic on two numbers; the raw value is the ONNX operator's name.
public enum BinaryFunction: String, Hashable, Sendable, CaseIterable {
  case add = "Add", subtract = "Sub", multiply = "Mul", divide = "Div"
  case power = "Pow", maximum = "Max", minimum = "Min", remainder = "Mod"
}

/// A test of two elements; the raw value is the ONNX operator's name.
public enum ComparisonFunction: String, Hashable, Sendable, CaseIterable {
  case equal = "Equal", less = "Less", lessOrEqual = "LessOrEqual"
  case greater = "Greater", greaterOrEqual = "GreaterOrEqual"
}

/// Logic on truth values, `not` on one; the raw value is the ONNX operator's name.
public enum LogicalFunction: String, Hashable, Sendable, CaseIterable {
  case and = "And", or = "Or", xor = "Xor", not = "Not"
}

/// Operations on the bits of integers, `not` on one; the raw value names the ONNX operator.
public enum BitwiseFunction: String, Hashable, Sendable, CaseIterable {
  case and = "BitwiseAnd", or = "BitwiseOr", xor = "BitwiseXor", not = "BitwiseNot"
  case shiftLeft = "BitShiftLeft", shiftRight = "BitShiftRight"
}

/// What happens to an element that an update falls on.
public enum ScatterReduction: String, Hashable, Sendable, CaseIterable {
  /// The update replaces it; of several updates the last.
  case none
  case add, multiply = "mul", maximum = "max", minimum = "min"
}

/// What many numbers are reduced to; the raw value is the ONNX operator's name.
public enum ReduceFunction: String, Hashable, Sendable, CaseIterable {
  case mean = "ReduceMean", sum = "ReduceSum", product = "ReduceProd"
  case maximum = "ReduceMax", minimum = "ReduceMin"
  case l1 = "ReduceL1", l2 = "ReduceL2", sumSquare = "ReduceSumSquare"
  case logSum = "ReduceLogSum", logSumExp = "ReduceLogSumExp"

  /// Whether the exact result of integers is an integer.
  package var allowsIntegers: Bool {
    switch self {
    case .l2, .logSum, .logSumExp: false
    default: true
    }
  }
}

/// What stands outside an array that is padded; the raw value is that of ONNX's `mode`.
public enum PadMode: String, Hashable, Sendable, CaseIterable {
  case constant, reflect, edge, wrap

  /// The positions of an array of `extent` that are left where negative amounts crop it.
  package func kept(begin: Int, end: Int, extent: Int) -> Range<Int> {
    let first = min(max(0, -begin), extent)
    return first..<max(first, extent - max(0, -end))
  }

  /// The kept position that a position of the array, or one outside of it, shows; nil for a
  /// constant. What stands outside goes on periodically, as far as it has to.
  package func source(of position: Int, in kept: Range<Int>) -> Int? {
    if kept.contains(position) { return position }
    let last = kept.count - 1
    let offset = position - kept.lowerBound
    switch self {
    case .constant: return nil
    case .edge: return kept.lowerBound + min(max(offset, 0), last)
    case .reflect:
      guard last > 0 else { return kept.lowerBound }
      let inPeriod = offset.remainder(in: 2 * last)
      return kept.lowerBound + min(inPeriod, 2 * last - inPeriod)
    case .wrap: return kept.lowerBound + offset.remainder(in: kept.count)
    }
  }

  /// Whether an array of `extent` can be padded like this: all but a constant need an element.
  package func allows(begin: Int, end: Int, extent: Int) -> Bool {
    let hasSource = !kept(begin: begin, end: end, extent: extent).isEmpty
    return (self == .constant || hasSource || (begin <= 0 && end <= 0))
      && extent + begin + end >= 0
  }
}

extension Int {
  /// The remainder that is not negative.
  fileprivate func remainder(in period: Int) -> Int {
    let remainder = self % period
    return remainder < 0 ? remainder + period : remainder
  }
}

extension BinaryFunction {
  /// The function of floats. The remainder has the sign of the dividend, as ONNX demands.
  package func floatFunction<T: ElementaryFloat>() -> (T, T) -> T {
    switch self {
    case .add: { $0 + $1 }
    case .subtract: { $0 - $1 }
    case .multiply: { $0 * $1 }
    case .divide: { $0 / $1 }
    case .power: { T.power($0, $1) }
    case .maximum: { propagatingMaximum($0, $1) }
    case .minimum: { propagatingMinimum($0, $1) }
    case .remainder: { $0.truncatingRemainder(dividingBy: $1) }
    }
  }

  /// The function of integers, which wraps around. Division truncates, the remainder has the sign
  /// of the divisor; both are 0 for a divisor of 0.
  package var integerFunction: @Sendable (Int64, Int64) -> Int64 {
    switch self {
    case .add: { $0 &+ $1 }
    case .subtract: { $0 &- $1 }
    case .multiply: { $0 &* $1 }
    case .divide: { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }
    case .power: { integerPower($0, $1) }
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
