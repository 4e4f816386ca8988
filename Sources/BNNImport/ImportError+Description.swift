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
    case .block(let path, let line): path.isEmpty ? "line \(line)" : "line \(line): \(path)"
    }
  }
}

extension ImportError.Reason: CustomStringConvertible {
  public var description: String {
    fileText ?? structureText ?? nodeText ?? tensorText ?? formatText ?? checkpointText ?? ""
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
    case .entryOutside: "its name leads out of the archive: refused"
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
    case .invalidReference(let name): "'\(name)' names nothing that is defined before"
    case .invalidExpression(let text, let cause): "'\(text)' has no value: \(cause)"
    default: nil
    }
  }

  private var checkpointText: String? {
    switch self {
    case .unknownArchitecture(let known):
      "no architecture of this name is shipped, and it is no .json file; shipped are "
        + known.joined(separator: ", ")
    case .unknownSetting(let name, let known):
      "there is no setting '\(name)'; known are \(known.joined(separator: ", "))"
    case .invalidSetting(let name, let found, let expected):
      "the setting '\(name)' cannot be '\(found)'; expected \(expected)"
    case .ambiguousPrefix(let prefixes):
      "the checkpoint holds several networks, with names that begin with \(quoted(prefixes)); "
        + "choose one with the setting '\(ArchitectureSetting.prefixName)'"
    case .nothingReplaced: "no array has the name of a parameter of the model"
    case .parameters(let problems):
      "the checkpoint does not fit:\n"
        + problems.map { "  \($0)" }.joined(separator: "\n")
    default: nil
    }
  }
}

extension ParameterProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let name, let nearest): "missing: \(name)\(Self.hint(nearest))"
    case .unexpected(let name, let nearest): "unexpected: \(name)\(Self.hint(nearest))"
    case .shape(let name, let found, let expected):
      "wrong shape: \(name) is \(found), expected \(expected)"
    }
  }

  private static func hint(_ nearest: String?) -> String {
    nearest.map { " (did you mean \($0)?)" } ?? ""
  }
}

extension ExpressionFailure: CustomStringConvertible {
  var description: String {
    switch self {
    case .syntax(let what): what
    case .undefined(let name): "'\(name)' is not defined"
    case .unknownFunction(let name): "there is no function '\(name)'"
    case .wrongOperands(let what): what
    case .wrongArgumentCount(let function, let expected):
      "\(function) takes \(expected) arguments"
    case .noElement(let index, let count): "there is no element \(index) among \(count)"
    case .noArray(let name): "the checkpoint has no array '\(name)'"
    case .notFinite: "the result is not a finite number"
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
