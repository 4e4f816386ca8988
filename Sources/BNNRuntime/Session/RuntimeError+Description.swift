import BNNTensor

extension RuntimeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingInput(let name):
      "input '\(name)' is missing"
    case .unknownInput(let name, let expected):
      "the model has no input '\(name)'; its inputs are \(quoted(expected))"
    case .wrongType(let input, let expected, let found):
      "input '\(input)': expected elements of type \(expected.rawValue), found \(found.rawValue)"
    case .wrongShape(let input, let expected, let found):
      "input '\(input)': expected shape \(listed(expected)), found \(found)"
    case .inconsistentBatch(let input, let expected, let found):
      "input '\(input)': its batch size is \(found), that of the inputs before it \(expected)"
    case .unsupportedKernels(let name):
      "kernels '\(name)' are unknown or not supported by this CPU; choose one of "
        + quoted(KernelChoice.allCases.map(\.rawValue))
    case .threads(let count):
      "cannot start \(count) threads"
    case .tooLarge(let bytes, let limit):
      "the model needs \(bytes.map { "\($0)" } ?? "too many") bytes of memory to run; "
        + "the limit is \(limit)"
    case .indexOutOfRange(let layer, let index, let extent):
      "layer '\(layer)': there is no position \(index) among \(extent)"
    case .invalidValue(let name, let fault):
      "value '\(name)': \(fault)"
    case .invalidLayer(let name, let fault):
      "layer '\(name)': \(fault)"
    }
  }
}

extension RuntimeError.ValueFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unsupportedType(let type):
      "elements of type \(type.rawValue) are not supported; expected float32, int32, int64, bool or sign"
    case .badDimensions(let dimensions):
      "dimensions \(listed(dimensions)) are negative or too large"
    case .neverMade: "used before a layer makes it"
    case .madeTwice: "made more than once"
    }
  }
}

extension RuntimeError.LayerFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .badValueIndex(let index): "value \(index) does not exist"
    case .inputCount(let expected, let found): "expected \(expected) inputs, found \(found)"
    case .outputCount(let expected, let found): "expected \(expected) outputs, found \(found)"
    case .inputType(let index, let expected, let found):
      "input \(index) is \(found.rawValue), expected \(expected.rawValue)"
    case .outputType(let index, let expected, let found):
      "output \(index) is \(found.rawValue), expected \(expected.rawValue)"
    case .outputShape(let expected, let declared):
      "the output has shape \(expected), but \(declared) is declared"
    case .inputShape(let index, let found): "input \(index) must not have shape \(found)"
    case .weightShape(let shape): "weights of shape \(shape) do not fit input and groups"
    case .geometry(let window):
      "a window of \(window.kernel) with strides \(window.strides), dilations \(window.dilations) "
        + "and padding \(window.padsBegin), \(window.padsEnd) does not fit the input"
    case .groups(let groups): "channels cannot be divided into \(groups) groups"
    case .axes(let axes): "\(axes) are not axes of the input"
    case .rule(let rule): "\(rule)"
    case .parameterCount(let expected, let found):
      "\(found) parameters for \(expected) channels"
    case .operandShape(let operand, let result):
      "an operand of shape \(operand) does not broadcast to \(result)"
    case .accumulatorThresholds:
      "integer thresholds need the accumulator of a binary convolution without steps"
    case .accumulatorRange(let count): "sums of \(count) products do not fit the accumulator"
    case .spatialRank(let rank): "\(rank) spatial dimensions are not supported"
    }
  }
}

private func quoted(_ names: [String]) -> String {
  names.map { "'\($0)'" }.joined(separator: ", ")
}

private func listed(_ dimensions: [Dimension]) -> String {
  "[" + dimensions.map(\.description).joined(separator: ",") + "]"
}
