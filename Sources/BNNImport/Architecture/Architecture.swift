/// A description of networks of one kind: what a checkpoint, which holds only parameters, lacks to
/// be a network.
///
/// The toolkit ships descriptions of published architectures (``init(named:)``); others are JSON files
/// in the format of `docs/architectures.md`.
public struct Architecture: Sendable {
  let description: ArchitectureDescription
  /// The file that the description was read from, or its name where it is shipped.
  let source: String

  public var name: String { description.name }
  /// What it is, in one sentence.
  public var summary: String { description.summary }

  /// A value that the user of a description may set.
  public struct Setting: Hashable, Sendable {
    public var name: String
    public var summary: String
    /// The value where none is given and the checkpoint does not tell.
    public var defaultValue: String
    /// What may be given, in words.
    public var expected: String
    /// Whether the value is found in the checkpoint where none is given.
    public var isFound: Bool
  }

  /// An array that a network of this kind is made of.
  public struct Parameter: Hashable, Sendable {
    /// The names that it may have; the first one that a checkpoint has counts.
    public var names: [String]
    /// nil where any shape will do. Extents of 1 may be missing or more, or all elements in one
    /// row.
    public var shape: [Int]?
  }

  public var settings: [Setting] {
    description.settings.map {
      Setting(
        name: $0.name, summary: $0.summary, defaultValue: $0.defaultValue.text,
        expected: $0.expected, isFound: !$0.inferences.isEmpty)
    }
  }

  /// Reads a description from a JSON file.
  public init(file path: String) throws(ImportError) {
    source = path
    description = try reading(path) { () throws(ImportFault) in
      try ArchitectureDescription(try InputFile(path).allBytes())
    }
  }

  init(bytes: [UInt8], name: String) throws(ImportError) {
    source = name
    description = try reading(name) { () throws(ImportFault) in
      try ArchitectureDescription(bytes)
    }
  }
}
