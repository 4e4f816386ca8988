import BNNKit
import Foundation
import Testing

/// A network of `fixtures/blocks` with its recorded inputs and outputs, and what its source says of
/// its layers.
struct RecordedBlock: Decodable, CustomTestStringConvertible {
  /// The network, whatever exported it.
  var network: String
  var outputs: Int
  /// How many products of a run are binary, and how many have real values or weights.
  var binary: Int
  var real: Int

  var name = ""

  private enum CodingKeys: CodingKey { case network, outputs, binary, real }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../fixtures/blocks").standardizedFileURL.path

  static func all() throws -> [RecordedBlock] {
    let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/blocks.json"))
    let named = try JSONDecoder().decode([String: RecordedBlock].self, from: data)
    return named.sorted { $0.key < $1.key }.map { name, block in
      var block = block
      block.name = name
      return block
    }
  }

  var testDescription: String { name }

  var path: String { RecordedBlock.folder + "/\(name).onnx" }

  /// By the names in the graph.
  func inputs(of graph: Graph) throws -> [String: Tensor] {
    try tensors(graph.inputs.map { graph[$0].name }, in: network)
  }

  func expected(of graph: Graph) throws -> [String: Tensor] {
    try tensors(graph.outputs.map { graph[$0].name }, in: name)
  }

  private func tensors(_ names: [String], in file: String) throws -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for name in names {
      result[name] = try NumPy.readArray(RecordedBlock.folder + "/\(file).\(name).npy")
    }
    return result
  }
}
