import BNNGraph

/// Why a file cannot be read as a model or a tensor (or a tensor cannot be written): the file, the
/// place in it, and the reason.
public struct ImportError: Error, Hashable, Sendable {
  public var file: String
  public var place: Place
  public var reason: Reason

  public init(file: String, place: Place = .file, reason: Reason) {
    self.file = file
    self.place = place
    self.reason = reason
  }

  /// What the reason is about.
  public enum Place: Hashable, Sendable {
    case file
    case node(name: String, op: String, attribute: String?)
    case tensor(name: String)
    case input(name: String)
    case output(name: String)
    /// A member of an archive.
    case entry(name: String)
    /// A part of an architecture description, such as `graph[3].unit[0].stride`, and the line (from
    /// 1) on which it is written.
    case block(path: String, line: Int)
  }

  public enum Reason: Hashable, Sendable {
    // The file itself
    case notFound
    case notARegularFile
    case cannotOpen(cause: String)
    case readFailed(cause: String)
    case cannotWrite(cause: String)
    case empty

    // Messages
    case truncated(offset: Int)
    case invalidWireFormat(offset: Int)
    case nestedTooDeeply(limit: Int)
    case tooManyParts
    case notAModel
    case noOperatorSet
    case operatorSetUnsupported(version: Int64, newest: Int64)

    // Structure
    case noOutputs
    case duplicateValue(name: String)
    case undefinedValue(name: String)
    case cycle(nodes: [String])
    case unsupportedOperators([UnsupportedOperator])
    case graph(GraphError)

    // Nodes
    case wrongInputCount(found: Int, expected: ClosedRange<Int>)
    case missingInput(index: Int)
    case missingAttribute
    case unknownAttribute
    case wrongAttributeType(found: String, expected: String)
    case invalidValue(found: String, expected: String)
    case needsOperatorSet(version: Int64, atLeast: Int64)
    case unsupported(String)

    // Tensors
    case unsupportedElementType(String)
    case invalidShape([Int64])
    case wrongByteCount(found: Int, expected: Int)
    case wrongElementCount(found: Int, expected: Int)
    case elementOutOfRange(String)
    case invalidSparseIndex(Int64)
    case tooLarge(elements: Int)
    case externalDataMissing(location: String)
    case externalDataOutside(location: String)
    case externalDataTooShort(location: String, needed: Int, found: Int)
    case invalidExternalData(key: String, value: String)

    // Inputs
    /// An input or output that is no tensor.
    case unsupportedKind(String)
    case shapeNeeded(declared: String)
    case shapeConflict(given: String, declared: String)
    case noSuchInput(available: [String])
    case severalInputs(available: [String])

    // NumPy
    case notNumPy
    case numPyVersion(major: UInt8, minor: UInt8)
    case invalidNumPyHeader(String)
    case archive(cause: String)
    case duplicateEntry
    case tooManyBytes(Int)
    case notAnArrayEntry
    /// An entry whose name is a path that leads out of the archive.
    case entryOutside

    // Architecture descriptions
    case invalidJSON(String)
    case notAnArchitecture
    case architectureVersion(Int)
    case operation(OperatorError)
    case missingKey(String)
    case unknownKey(String)
    case wrongJSONType(expected: String)
    case unknownOperator(String, known: [String])
    case invalidReference(String)
    case invalidExpression(String, cause: String)
    case unknownArchitecture(known: [String])
    case unknownSetting(String, known: [String])
    case invalidSetting(name: String, found: String, expected: String)
    /// Several beginnings of arrays' names lead to as many parameters.
    case ambiguousPrefix([String])
    case parameters([ParameterProblem])
    /// No array has the name of a parameter of the model.
    case nothingReplaced
  }

  /// What kind of failure it is, for exit codes.
  public enum Category: Hashable, Sendable {
    case usage, malformed, unsupported, missingFile, cannotCreate, io
  }
}

/// An operator of a model that the importer does not know, with every node that applies it.
public struct UnsupportedOperator: Hashable, Sendable {
  public var op: String
  /// Empty for ONNX's own operators.
  public var domain: String
  public var nodes: [String]

  public init(op: String, domain: String, nodes: [String]) {
    self.op = op
    self.domain = domain
    self.nodes = nodes
  }
}

extension ImportError {
  public var category: Category {
    switch reason {
    case .notFound, .externalDataMissing, .notARegularFile, .cannotOpen: .missingFile
    case .readFailed: .io
    case .cannotWrite: .cannotCreate
    case .operatorSetUnsupported, .unsupportedOperators, .needsOperatorSet, .unsupported,
      .unsupportedElementType, .unsupportedKind, .shapeNeeded, .unknownAttribute, .tooLarge:
      .unsupported
    case .shapeConflict, .noSuchInput, .severalInputs, .unknownArchitecture, .unknownSetting,
      .invalidSetting, .ambiguousPrefix:
      .usage
    case .graph(let error): error.isUnsupported ? .unsupported : .malformed
    case .operation(.unsupported), .operation(.tooLarge), .operation(.shapeDependsOnData),
      .architectureVersion:
      .unsupported
    default: .malformed
    }
  }
}

extension ImportError {
  /// Whether the model can be read if the elements of its inputs are known: with
  /// ``ImportOptions/inputConstants``.
  public var needsInputValues: Bool {
    if case .graph(.atNode(_, _, .shapeDependsOnData)) = reason { true } else { false }
  }
}

extension GraphError {
  fileprivate var isUnsupported: Bool {
    switch self {
    case .atNode(_, _, .unsupported), .atNode(_, _, .shapeDependsOnData),
      .atNode(_, _, .tooLarge), .irregularBatch:
      true
    default: false
    }
  }
}

/// An ``ImportError`` before the file's name is added: what the parts of the importer throw.
struct ImportFault: Error {
  var place: ImportError.Place = .file
  var reason: ImportError.Reason

  init(_ reason: ImportError.Reason, at place: ImportError.Place = .file) {
    self.place = place
    self.reason = reason
  }
}

/// Runs the reading of a file and adds the file's name to its faults.
func reading<Result>(
  _ file: String, _ body: () throws(ImportFault) -> Result
) throws(ImportError) -> Result {
  do {
    return try body()
  } catch {
    throw ImportError(file: file, place: error.place, reason: error.reason)
  }
}
