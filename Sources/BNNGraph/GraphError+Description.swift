import BNNTensor

extension OperatorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingInput(let index):
      "input \(index) is missing"
    case .wrongRank(let input, let expected, let found):
      "input \(input): expected rank \(expected), found shape \(found)"
    case .shapeMismatch(let input, let expected, let found):
      "input \(input): expected \(expected), found shape \(found)"
    case .wrongElementType(let input, let found):
      "input \(input): the element type \(found) does not fit here; cast it in the model"
    case .invalidAttribute(let name, let value, let expected):
      "attribute '\(name)': expected \(expected), found \(value)"
    case .invalidValue(let input, let expected, let found):
      "input \(input): expected \(expected), found \(found)"
    case .wrongOutputCount(let expected, let found):
      "makes \(expected) outputs, the node has \(found)"
    case .unsupported(let what):
      "\(what): not supported; write the model without it"
    case .shapeDependsOnData(let input):
      "input \(input) decides a shape but depends on the model's inputs; "
        + "export the model with that shape fixed"
    case .tooLarge(let shape):
      "a result of shape \(shape) is larger than \(ResultType.elementLimit) elements"
    }
  }
}

extension GraphError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .atNode(let name, let op, let error):
      "node '\(name)' (\(op)): \(error)"
    case .cycle(let nodes):
      "nodes depend on each other in a cycle: \(GraphError.list(nodes)); export the model again"
    case .undefinedValue(let name, let node):
      "node '\(node)': nothing makes the value '\(name)' that it uses"
    case .undefinedOutput(let name):
      "nothing makes the output '\(name)'"
    case .twoProducers(let value):
      "the value '\(value)' is made twice"
    case .inputWithoutType(let name):
      "input '\(name)' has no type; give its shape"
    case .invalidInputType(let name, let type):
      "input '\(name)': \(type) is not a shape that can be; give its shape"
    case .irregularBatch(let value, let batches, let shapes):
      "value '\(value)': the shapes \(shapes.map(\.description).joined(separator: ", ")) for "
        + "batches of \(batches.map(String.init).joined(separator: ", ")) follow no rule; "
        + "fix the batch with an input shape"
    case .wrongInputs(let expected, let found):
      "expected the inputs \(GraphError.list(expected)), found \(GraphError.list(found))"
    case .inputMismatch(let name, let expected, let found):
      "input '\(name)': expected \(expected), found \(found)"
    }
  }

  /// Names in quotes; of many only the first.
  private static func list(_ names: [String]) -> String {
    let limit = 10
    guard !names.isEmpty else { return "none" }
    let shown = names.prefix(limit).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
  }
}
