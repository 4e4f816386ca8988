import BNNTensor

/// Why a `.bnn` file or a model cannot be read or written.
public enum FormatError: Error, Hashable, Sendable {
  /// The file, or a model that should become one, breaks a rule of the format.
  case broken(Violation)
  /// The file is missing, unreadable, or not a regular file.
  case cannotRead(path: String, reason: String)
  /// The output is there already and overwriting was not asked for.
  case outputExists(path: String)
  /// The output cannot be created.
  case cannotWrite(path: String, reason: String)
  /// Reading or writing began and failed.
  case io(path: String, reason: String)

  /// The rule that is broken when this is about contents.
  public var rule: Rule? { if case .broken(let violation) = self { violation.rule } else { nil } }
}

extension FormatError {
  /// A broken rule and where.
  public struct Violation: Error, Hashable, Sendable {
    public var rule: Rule
    /// nil for a model that did not come from a file.
    public var section: FileSection?
    /// Position in the file of what is wrong, or of the record that it belongs to.
    public var offset: Int?
    public var item: Item?

    public init(
      _ rule: Rule, section: FileSection? = nil, offset: Int? = nil, item: Item? = nil
    ) {
      self.rule = rule
      self.section = section
      self.offset = offset
      self.item = item
    }
  }

  /// The part of a model that a violation is about.
  public enum Item: Hashable, Sendable {
    case value(index: Int, name: String)
    case layer(index: Int, name: String)
    case tensor(index: Int)
  }
}

/// The parts of a file that errors and sizes are given for.
public enum FileSection: UInt32, Hashable, Sendable, CaseIterable {
  /// The header and the section table. Not listed in the table.
  case header = 0
  case metadata = 1
  case values = 2
  case layers = 3
  case tensors = 4
  case parameters = 5
  case weights = 6

  /// The sections that every file has, in their order.
  static let required: [FileSection] = [
    .metadata, .values, .layers, .tensors, .parameters, .weights,
  ]
}
