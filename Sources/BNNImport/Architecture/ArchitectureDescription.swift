import BNNGraph
import BNNTensor

/// An architecture description as it is written: what a checkpoint lacks to be a network.
///
/// `docs/architectures.md` describes the format.
struct ArchitectureDescription {
  var name: String
  var inputs: [Input]
  var blocks: [String: Block]
  var steps: [JSONValue]
  /// Names of the results; nil stands for the last step's.
  var outputs: [String]?
  /// Patterns of arrays that the network does not use.
  var ignored: [String]

  struct Input {
    var name: String
    /// nil where the extent is open.
    var shape: [Int?]
  }

  /// Steps that are used several times.
  struct Block {
    /// Names of its operands inside the block.
    var inputs: [String]
    /// Values of variables that a use does not give.
    var defaults: [String: JSONValue]
    var steps: [JSONValue]
    var output: String?
  }

  static let version = 1

  init(_ document: JSONValue) throws(ImportFault) {
    let reader = try JSONObjectReader(document, path: "")
    let format = try reader.string("format")
    guard format == "bnn-architecture" else { throw reader.fault(.notAnArchitecture) }
    let version = try reader.required("version", try reader.integer("version", in: 0...Int.max))
    guard version == Self.version else { throw reader.fault(.architectureVersion(version)) }
    name = try reader.string("name") ?? ""
    inputs = try Self.inputs(reader)
    blocks = try Self.blocks(reader)
    steps = try reader.required("graph", try reader.array("graph"))
    outputs = try reader.strings("outputs")
    ignored = try reader.strings("ignore") ?? []
    try reader.checkKeys()
  }

  private static func inputs(_ reader: JSONObjectReader) throws(ImportFault) -> [Input] {
    let elements = try reader.required("inputs", try reader.array("inputs"))
    var inputs: [Input] = []
    for (index, element) in elements.enumerated() {
      let input = try JSONObjectReader(element, path: "inputs[\(index)]")
      let name = try input.required("name", try input.string("name"))
      var shape: [Int?] = []
      for extent in try input.required("shape", try input.array("shape")) {
        guard let value = extent.integer, (1...Int(Int32.max)).contains(value) else {
          guard extent == .string("N") || extent == .null else {
            throw input.fault(
              .wrongJSONType(expected: "extents from 1, or \"N\" for the batch"), key: "shape")
          }
          shape.append(nil)
          continue
        }
        shape.append(value)
      }
      try input.checkKeys()
      inputs.append(Input(name: name, shape: shape))
    }
    return inputs
  }

  private static func blocks(_ reader: JSONObjectReader) throws(ImportFault) -> [String: Block] {
    var blocks: [String: Block] = [:]
    for (name, value) in try reader.object("blocks") ?? [:] {
      let block = try JSONObjectReader(value, path: "blocks.\(name)")
      blocks[name] = Block(
        inputs: try block.strings("inputs") ?? ["input"],
        defaults: try block.object("defaults") ?? [:],
        steps: try block.required("graph", try block.array("graph")),
        output: try block.string("output"))
      try block.checkKeys()
    }
    return blocks
  }
}
