import BNNGraph
import BNNTensor

/// An architecture description as it is written: what a checkpoint lacks to be a network.
///
/// `docs/architectures.md` describes the format.
struct ArchitectureDescription: Sendable {
  let document: JSONText
  var name: String
  var summary: String
  /// In the order of their names.
  var settings: [ArchitectureSetting]
  var inputs: [Input]
  var blocks: [String: Block]
  var steps: [JSONValue]
  /// Names of the results; nil stands for the last step's.
  var outputs: [String]?
  var ignored: [IgnoredArrays]
  /// What the names of arrays begin with where several beginnings would do, best first.
  var prefixes: [String]

  struct Input: Sendable {
    var name: String
    /// nil where the extent is open; expressions are evaluated when the graph is built.
    var shape: JSONValue
    var place: JSONPlace
  }

  /// Steps that are used several times.
  struct Block: Sendable {
    /// Names of its operands inside the block.
    var inputs: [String]
    /// Values of variables that a use does not give.
    var defaults: [String: JSONValue]
    var steps: [JSONValue]
    var output: String?
  }

  /// Arrays of a checkpoint that the network does not use.
  struct IgnoredArrays: Sendable {
    /// A name in which each `*` stands for anything.
    var pattern: String
    var reason: String
  }

  static let version = 1

  init(_ bytes: [UInt8]) throws(ImportFault) {
    guard !bytes.isEmpty else { throw ImportFault(.empty) }
    let value = try JSONValue.parse(bytes)
    document = JSONText(bytes)
    let reader = try JSONObjectReader(value, at: JSONPlace(document))
    let format = try reader.string("format")
    guard format == "bnn-architecture" else { throw reader.fault(.notAnArchitecture) }
    let version = try reader.required("version", try reader.integer("version", in: 0...Int.max))
    guard version == Self.version else { throw reader.fault(.architectureVersion(version)) }
    name = try reader.string("name") ?? ""
    summary = try reader.string("summary") ?? ""
    settings = try ArchitectureSetting.all(in: reader)
    inputs = try Self.inputs(reader)
    blocks = try Self.blocks(reader)
    steps = try reader.required("graph", try reader.array("graph"))
    outputs = try reader.strings("outputs")
    ignored = try Self.ignored(reader)
    prefixes = try reader.strings("prefixes") ?? []
    try reader.checkKeys()
  }

  private static func inputs(_ reader: JSONObjectReader) throws(ImportFault) -> [Input] {
    let elements = try reader.required("inputs", try reader.array("inputs"))
    var inputs: [Input] = []
    for (index, element) in elements.enumerated() {
      let place = reader.place(of: "inputs").element(index)
      let input = try JSONObjectReader(element, at: place)
      let name = try input.required("name", try input.string("name"))
      let shape = try input.required("shape", input.source("shape"))
      try input.checkKeys()
      inputs.append(Input(name: name, shape: shape, place: place.member("shape")))
    }
    return inputs
  }

  private static func blocks(_ reader: JSONObjectReader) throws(ImportFault) -> [String: Block] {
    var blocks: [String: Block] = [:]
    for (name, value) in try reader.object("blocks") ?? [:] {
      let block = try JSONObjectReader(value, at: reader.place(of: "blocks").member(name))
      blocks[name] = Block(
        inputs: try block.strings("inputs") ?? ["input"],
        defaults: try block.object("defaults") ?? [:],
        steps: try block.required("graph", try block.array("graph")),
        output: try block.string("output"))
      try block.checkKeys()
    }
    return blocks
  }

  private static func ignored(_ reader: JSONObjectReader) throws(ImportFault) -> [IgnoredArrays] {
    var result: [IgnoredArrays] = []
    for (index, element) in try (reader.array("ignore") ?? []).enumerated() {
      if case .string(let pattern) = element {
        result.append(IgnoredArrays(pattern: pattern, reason: "the description leaves it out"))
        continue
      }
      let entry = try JSONObjectReader(element, at: reader.place(of: "ignore").element(index))
      result.append(
        IgnoredArrays(
          pattern: try entry.required("arrays", try entry.string("arrays")),
          reason: try entry.required("reason", try entry.string("reason"))))
      try entry.checkKeys()
    }
    return result
  }
}

extension ArchitectureDescription.Input {
  /// The extents, with open ones as nil.
  func extents(_ environment: ExpressionEnvironment) throws(ImportFault) -> [Int?] {
    guard case .array(let elements) = try shape.evaluated(in: environment, at: place) else {
      throw place.fault(.wrongJSONType(expected: "a list"))
    }
    var extents: [Int?] = []
    for extent in elements {
      if extent == .string("N") || extent == .null {
        extents.append(nil)
      } else if let value = extent.integer, (1...Int(Int32.max)).contains(value) {
        extents.append(value)
      } else {
        throw place.fault(.wrongJSONType(expected: "extents from 1, or \"N\" for the batch"))
      }
    }
    return extents
  }
}
