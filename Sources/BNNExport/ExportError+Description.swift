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
    case .bitsExpected(let value): "operand '\(value)' is not known to be ±1"
    case .unknownType(let value): "files have no type for '\(value)', or its extents are not known"
    case .acrossBatch(let axis): "entries of the batch would be mixed along axis \(axis)"
    case .batchMoves(let value): "the batch would not be the first dimension of '\(value)'"
    }
  }
}
