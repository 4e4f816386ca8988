extension ExportError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notLowerable(let problems):
      problems.map { "\($0)" }.joined(separator: "\n")
    case .graph(let error): "\(error)"
    case .format(let error): "\(error)"
    }
  }
}

extension ExportError.Problem: CustomStringConvertible {
  public var description: String { "node '\(node)' (\(op)): \(reason)" }
}

extension ExportError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unsupportedOperator: "no pass removed the operator, and no layer does what it does"
    case .unsupportedForm(let form): "no layer for \(form)"
    case .constantExpected(let input): "input \(input) must be a constant"
    case .constantUnexpected(let value): "operand '\(value)' is a constant that was not folded"
    case .bitsExpected(let value): "operand '\(value)' is not known to be ±1"
    case .unknownType(let value): "'\(value)' is not a float32 value with known extents"
    case .batchMoves(let value): "the batch would not be the first dimension of '\(value)'"
    }
  }
}
