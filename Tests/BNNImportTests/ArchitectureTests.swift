import BNNGraph
import BNNTensor
import Foundation
import Testing

@testable import BNNImport

@Suite struct ArchitectureTests {
  /// A checkpoint of a convolution, a batch normalization and a dense layer.
  private static let arrays: [(name: String, tensor: Tensor)] = [
    ("conv.weight", Tensor((0..<18).map { Float($0) - 8.5 }, shape: [2, 1, 3, 3])),
    ("bn.weight", Tensor([Float(1), -1], shape: [2])),
    ("bn.bias", Tensor([0.5, 0.5], shape: [2], elementType: .float16)),
    ("bn.running_mean", Tensor([Float(0), 0], shape: [2])),
    ("bn.running_var", Tensor([Float(1), 1], shape: [2])),
    ("act.weight", Tensor([Float(0.25), 0.5], shape: [2])),
    ("fc.weight", Tensor((0..<96).map { Float($0 % 5) - 2 }, shape: [3, 32])),
  ]

  private static let input = #"{"name": "x", "shape": ["N", 1, 4, 4]}"#
  private static let conv = #"{"op": "conv", "weights": "conv.weight", "padding": 1}"#

  private static func document(
    _ graph: String, inputs: String = input, more: String = #""ignore": ["*"]"#
  ) -> String {
    """
    {"format": "bnn-architecture", "version": 1, "inputs": [\(inputs)], "graph": [\(graph)],
     \(more)}
    """
  }

  private func read(
    _ document: String, settings: [String: String] = [:], options: ImportOptions = .init()
  ) throws -> SourceModel {
    let folder = try TemporaryFolder()
    let checkpoint = folder.path + "/checkpoint.npz"
    try NumPy.writeArchive(Self.arrays, checkpoint)
    let file = try folder.write(Array(document.utf8), as: "architecture.json")
    return try SourceModel(
      checkpointFile: checkpoint, architecture: Architecture(file: file), settings: settings,
      options: options)
  }

  private func failure(
    _ document: String, settings: [String: String] = [:]
  ) throws -> ImportError {
    try #require(throws: ImportError.self) { try read(document, settings: settings) }
  }

  private func path(_ error: ImportError) -> String? {
    if case .block(let path, _) = error.place { path } else { nil }
  }

  // MARK: What is built

  @Test func `Layers in a row`() throws {
    let model = try read(
      Self.document(
        """
        \(Self.conv), {"op": "batch_norm", "parameters": "bn", "epsilon": 0.001},
        {"op": "prelu", "slopes": "act.weight"}, {"op": "sign"}, {"op": "flatten"},
        {"op": "dense", "weights": "fc.weight", "binarize": "sign"}
        """, more: #""comment": "every array is used""#))
    let graph = model.graph
    #expect(
      graph.nodes.map(\.name) == ["conv", "bn", "prelu", "sign", "flatten", "fc/sign", "fc"])
    #expect(graph[graph.outputs[0]].name == "output")
    #expect(graph[graph.outputs[0]].type == ValueType(.float32, [.batch(1), .fixed(3)]))
    #expect(model.format == .checkpoint)
    guard case .batchNormalization(let normalization) = graph.nodes[1].op else {
      Issue.record("not a batch normalization")
      return
    }
    #expect(normalization.epsilon == 0.001)
    let slopes = try #require(graph.nodes[2].input(1))
    #expect(graph[slopes].constant?.shape == [2, 1, 1], "slopes lie along the channels")
  }

  @Test func `Weights times their mean magnitude`() throws {
    let model = try read(
      Self.document(
        #"{"op": "conv", "weights": "conv.weight", "padding": 1, "binarize": "sign_alpha"}"#))
    let x = Tensor([Float](repeating: 1, count: 16), shape: [1, 1, 4, 4])
    // All weights of the first output channel are negative but one, of the second positive.
    let result = try #require(try model.run(["x": x]))
    let alpha = (0..<9).map { abs(Float($0) - 8.5) }.reduce(0, +) / 9
    #expect(abs(result.floats[5] + 9 * alpha) < 1e-4)
  }

  @Test(arguments: [(0, [Float(-1), 0, 1]), (1, [-1, 1, 1]), (-1, [-1, -1, 1])])
  func `What a sign makes of 0`(atZero: Int, expected: [Float]) throws {
    let model = try read(
      Self.document(
        #"{"op": "sign", "at_zero": \#(atZero)}"#, inputs: #"{"name": "x", "shape": [3]}"#))
    #expect(try model.run(["x": Tensor([Float(-2), 0, 3], shape: [3])])?.floats == expected)
  }

  @Test func `Blocks are repeated with their variables`() throws {
    let model = try read(
      Self.document(
        #"{"use": "unit", "each": {"low": [-1, -0.5], "high": [1, 0.25]}, "with": {"low": "${low}", "high": "${high}"}}"#,
        inputs: #"{"name": "x", "shape": [3]}"#,
        more: """
          "ignore": ["*"], "blocks": {"unit": {"graph": [
            {"op": "clip", "min": "${low}", "max": "${high}"},
            {"op": "add", "inputs": ["input", "input"], "name": "doubled"}], "output": "doubled"}}
          """))
    #expect(model.graph.nodes.map(\.name) == ["add", "add_1"], "unread clips are dropped")
    #expect(try model.run(["x": Tensor([Float(1), 2, 3], shape: [3])])?.floats == [4, 8, 12])
  }

  @Test func `Names inside a block are its own`() throws {
    let more = """
      "ignore": ["*"], "blocks": {"unit": {"graph": [{"op": "add", "inputs": ["x", "input"]}]}}
      """
    let error = try failure(
      Self.document(
        #"{"use": "unit"}"#, inputs: #"{"name": "x", "shape": [3]}"#, more: more))
    #expect(error.reason == .invalidReference("x"))
    #expect(path(error) == "graph[0].unit[0].inputs")
  }

  // MARK: What is refused

  @Test(arguments: ["", "{", "[1, 2", "nonsense", "{\"a\": 1,,}"])
  func `Text that is not JSON`(text: String) throws {
    let error = try failure(text)
    if text.isEmpty {
      #expect(error.reason == .empty)
    } else {
      guard case .invalidJSON = error.reason else { throw error }
    }
    #expect(error.category == .malformed)
  }

  @Test func `JSON that is nested without end`() throws {
    let error = try failure(String(repeating: "[", count: 200_000))
    #expect(error.category == .malformed)
  }

  @Test func `Documents of another kind or version`() throws {
    #expect(try failure("[]").reason == .wrongJSONType(expected: "an object"))
    #expect(try failure("{}").reason == .notAnArchitecture)
    let later = #"{"format": "bnn-architecture", "version": 2}"#
    #expect(try failure(later).reason == .architectureVersion(2))
    #expect(try failure(later).category == .unsupported)
    let incomplete = #"{"format": "bnn-architecture", "version": 1}"#
    #expect(try failure(incomplete).reason == .missingKey("inputs"))
  }

  @Test(arguments: [
    (#"{"op": "convolution"}"#, "graph[0].op"),
    (#"{"op": "relu", "weight": "w"}"#, "graph[0].weight"),
    (#"{"op": "conv"}"#, "graph[0]"),
    (#"{"weights": "conv.weight"}"#, "graph[0]"),
    (#"7"#, "graph[0]"),
    (
      #"{"op": "relu"}, {"op": "relu", "input": "later"}, {"op": "relu", "name": "later"}"#,
      "graph[1].input"
    ),
    (#"{"op": "relu", "name": "a"}, {"op": "relu", "name": "a"}"#, "graph[1]"),
    (#"{"op": "add", "inputs": ["x", "x", "x"]}"#, "graph[0]"),
    (#"{"op": "conv", "weights": "conv.weight", "stride": 0}"#, "graph[0].stride"),
    (#"{"op": "conv", "weights": "conv.weight", "stride": [1, 1, 1]}"#, "graph[0].stride"),
    (#"{"op": "conv", "weights": "conv.weight", "padding": 1.5}"#, "graph[0].padding"),
    (#"{"op": "conv", "weights": "conv.weight", "padding": [1, 1, 1]}"#, "graph[0].padding"),
    (#"{"op": "conv", "weights": "conv.weight", "binarize": "maybe"}"#, "graph[0].binarize"),
    (#"{"op": "conv", "weights": "conv.weight", "groups": 2}"#, "graph[0]"),
    (#"{"op": "conv", "weights": "fc.weight"}"#, "graph[0]"),
    (#"{"op": "dense", "weights": "fc.weight"}"#, "graph[0]"),
    (#"{"op": "conv", "weights": 7}"#, "graph[0].weights"),
    (#"{"op": "relu", "when": 1}"#, "graph[0].when"),
    (#"{"op": "relu", "each": {"a": [1], "b": [1, 2]}}"#, "graph[0].each"),
    (#"{"op": "relu", "each": [1]}"#, "graph[0].each"),
    (#"{"op": "constant", "value": [1, 2], "shape": [3]}"#, "graph[0].value"),
    (#"{"op": "channel_shuffle", "groups": 3}"#, "graph[0].groups"),
    (#"{"op": "parameter", "array": "fc.weight", "packed_bits": true}"#, "graph[0]"),
    (#"{"op": "sign", "at_zero": 2}"#, "graph[0].at_zero"),
    (#"{"op": "max_pool"}"#, "graph[0]"),
    (#"{"use": "nothing"}"#, "graph[0].use"),
    ("", "graph"),
  ])
  func `A wrong step is named`(graph: String, path: String) throws {
    let error = try failure(Self.document(graph))
    #expect(self.path(error) == path, "\(error)")
    #expect(error.category == .malformed)
    #expect(error.file.hasSuffix("architecture.json"))
  }

  @Test func `A block that uses itself`() throws {
    let more = #""blocks": {"a": {"graph": [{"use": "b"}]}, "b": {"graph": [{"use": "a"}]}}"#
    let error = try failure(Self.document(#"{"use": "a"}"#, more: more))
    #expect(error.reason == .cycle(nodes: ["a", "b", "a"]))
  }

  @Test func `Blocks that multiply beyond measure`() throws {
    let uses = [String](repeating: #"{"use": "next"}"#, count: 50).joined(separator: ",")
    let blocks = (0..<8).map { level in
      "\"level\(level)\": {\"graph\": ["
        + (level == 7
          ? #"{"op": "relu"}"# : uses.replacingOccurrences(of: "next", with: "level\(level + 1)"))
        + "]}"
    }
    let error = try failure(
      Self.document(
        #"{"use": "level0"}"#, more: "\"blocks\": {" + blocks.joined(separator: ",") + "}"))
    #expect(error.reason == .tooManyParts)
  }

  @Test func `A variable without a value`() throws {
    let more = #""blocks": {"a": {"graph": [{"op": "conv", "weights": "${p}.weight"}]}}"#
    let error = try failure(Self.document(#"{"use": "a"}"#, more: more))
    guard case .invalidExpression("${p}.weight", _) = error.reason else { throw error }
    #expect(path(error) == "graph[0].a[0].weights")
  }

  @Test func `Outputs that there are not`() throws {
    let error = try failure(
      Self.document(Self.conv, more: #""ignore": ["*"], "outputs": ["y"]"#))
    #expect(error.reason == .invalidReference("y"))
    let none = try failure(Self.document(Self.conv, more: #""ignore": ["*"], "outputs": []"#))
    #expect(none.reason == .noOutputs)
  }

  @Test func `A missing description or checkpoint`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array(Self.document(Self.conv).utf8), as: "a.json")
    for (checkpoint, architecture) in [("/nowhere/a.npz", path), (path, "/nowhere/a.json")] {
      let error = #expect(throws: ImportError.self) {
        try SourceModel(
          checkpointFile: checkpoint, architecture: Architecture(file: architecture))
      }
      #expect(error?.reason == .notFound)
      #expect(error?.file.hasPrefix("/nowhere") == true)
    }
  }
}
