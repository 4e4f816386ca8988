import BNNGraph

extension ImportError: CustomStringConvertible {
  /// `file: place: reason`, without a final stop.
  public var description: String {
    let place = "\(self.place)"
    return ([file] + (place.isEmpty ? [] : [place]) + ["\(reason)"]).joined(separator: ": ")
  }
}

extension ImportError.Place: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file: ""
    case .node(let name, let op, let attribute?): "node '\(name)' (\(op)): attribute '\(attribute)'"
    case .node(let name, let op, nil): "node '\(name)' (\(op))"
    case .tensor(let name): "tensor '\(name)'"
    case .input(let name): "input '\(name)'"
    case .output(let name): "output '\(name)'"
    case .entry(let name): "entry '\(name)'"
    case .block(let path): path
    }
  }
}

extension ImportError.Reason: CustomStringConvertible {
  public var description: String {
    fileText ?? structureText ?? nodeText ?? tensorText ?? formatText ?? ""
  }

  private var fileText: String? {
    switch self {
    case .notFound: "no such file"
    case .notARegularFile: "not a file with contents, but a folder or a device"
    case .cannotOpen(let cause): "cannot be opened: \(cause)"
    case .readFailed(let cause): "reading failed: \(cause)"
    case .cannotWrite(let cause): "cannot be written: \(cause)"
    case .empty: "the file is empty"
    case .truncated(let offset):
      "the field at byte \(offset) ends beyond the data: the file is truncated or not ONNX"
    case .invalidWireFormat(let offset):
      "no valid field at byte \(offset): the file is damaged or not ONNX"
    case .nestedTooDeeply(let limit): "messages are nested more than \(limit) levels deep"
    case .tooManyParts: "the file consists of more parts than its size justifies"
    case .notAModel: "there is no graph in the file: it is not an ONNX model"
    case .noOperatorSet: "the model does not say which version of the operators it uses"
    case .operatorSetUnsupported(let version, let newest):
      "operator set \(version) is not supported: the newest is \(newest); export the model for that"
    default: nil
    }
  }

  private var structureText: String? {
    switch self {
    case .noOutputs: "the graph has no outputs"
    case .duplicateValue(let name): "the value '\(name)' is defined twice"
    case .undefinedValue(let name): "the value '\(name)' is used but nothing defines it"
    case .cycle(let nodes): "nodes form a cycle: \(quoted(nodes))"
    case .unsupportedOperators(let operators):
      "unsupported operators: " + operators.map(\.description).joined(separator: "; ")
    case .graph(let error): "\(error)"
    case .unsupportedKind(let kind): "the type \(kind) is not supported, only tensors are"
    case .shapeNeeded(let declared):
      "the shape is open (\(declared)); give it with --input-shape"
    case .shapeConflict(let given, let declared):
      "the given shape \(given) does not fit the declared one: \(declared)"
    case .noSuchInput(let available): "the model has no such input, only \(quoted(available))"
    case .severalInputs(let available):
      "a shape without a name needs a model with one input; this one has \(quoted(available))"
    default: nil
    }
  }

  private var nodeText: String? {
    switch self {
    case .wrongInputCount(let found, let expected):
      expected.lowerBound == expected.upperBound
        ? "\(found) inputs, expected \(expected.lowerBound)"
        : "\(found) inputs, expected \(expected.lowerBound) to \(expected.upperBound)"
    case .missingInput(let index): "input \(index) is missing"
    case .missingAttribute: "it is missing"
    case .unknownAttribute: "it is not known for this operator and operator set"
    case .wrongAttributeType(let found, let expected): "expected a \(expected), found a \(found)"
    case .invalidValue(let found, let expected): "expected \(expected), found \(found)"
    case .needsOperatorSet(let version, let atLeast):
      "operator set \(version) gives it another meaning; export the model for \(atLeast) or newer"
    case .unsupported(let what): "\(what): not supported"
    default: nil
    }
  }

  private var tensorText: String? {
    switch self {
    case .unsupportedElementType(let type): "elements of type \(type) are not supported"
    case .invalidShape(let dimensions): "\(dimensions) is not a possible shape"
    case .wrongByteCount(let found, let expected):
      "\(found) bytes of data where the shape needs \(expected)"
    case .wrongElementCount(let found, let expected):
      "\(found) elements where the shape needs \(expected)"
    case .elementOutOfRange(let element): "the element \(element) is out of its type's range"
    case .invalidSparseIndex(let index): "the index \(index) lies outside the shape"
    case .tooLarge(let elements): "\(elements) elements are too many"
    case .externalDataMissing(let location): "the external data file '\(location)' is missing"
    case .externalDataOutside(let location):
      "the external data file '\(location)' is not inside the model's folder: refused"
    case .externalDataTooShort(let location, let needed, let found):
      "needs \(needed) bytes of the external data file '\(location)', which has \(found) there"
    case .invalidExternalData(let key, let value): "external data: invalid \(key) '\(value)'"
    default: nil
    }
  }

  private var formatText: String? {
    switch self {
    case .notNumPy: "not a NumPy array file"
    case .numPyVersion(let major, let minor):
      "version \(major).\(minor) of NumPy's format is not known"
    case .invalidNumPyHeader(let what): "the array's header is invalid: \(what)"
    case .archive(let cause): "cannot be read as an archive: \(cause)"
    case .duplicateEntry: "it is there twice"
    case .tooManyBytes(let count): "\(count) bytes are more than an archive of this size may hold"
    case .notAnArrayEntry: "it is not an array (.npy)"
    case .invalidJSON(let cause): "not valid JSON: \(cause)"
    case .notAnArchitecture:
      "not an architecture description: \"format\" must be \"bnn-architecture\""
    case .architectureVersion(let version):
      "version \(version) of architecture descriptions is not known; this tool reads version 1"
    case .operation(let error): "\(error)"
    case .missingKey(let key): "the key '\(key)' is missing"
    case .unknownKey(let key): "the key '\(key)' is not known here"
    case .wrongJSONType(let expected): "expected \(expected)"
    case .unknownOperator(let name, let known):
      "the operator '\(name)' is not known; known are \(known.joined(separator: ", "))"
    case .missingParameter(let name): "the checkpoint has no array '\(name)'"
    case .unusedParameters(let names): "arrays of the checkpoint are not used: \(quoted(names))"
    case .invalidReference(let name): "'\(name)' names nothing that is defined before"
    default: nil
    }
  }
}

extension UnsupportedOperator: CustomStringConvertible {
  public var description: String {
    (domain.isEmpty ? op : "\(domain)::\(op)") + " (nodes \(quoted(nodes)))"
  }
}

private func quoted(_ names: [String]) -> String {
  names.map { "'\($0)'" }.joined(separator: ", ")
}
