import BNNGraph
import BNNTensor
import Foundation
import Testing

@testable import BNNImport

/// Settings, expressions and the fit of a checkpoint's arrays.
@Suite struct ArchitectureSettingTests {
  /// Two layers of the same shape, and a head; `bias` is there for one only.
  private static let document = """
    {
      "format": "bnn-architecture",
      "version": 1,
      "name": "sample",
      "settings": {
        "activation": {"summary": "a", "default": "relu", "choices": ["relu", "tanh"]},
        "classes": {"summary": "c", "default": 7, "infer": "${extent('fc.weight', 0)}"},
        "layers": {"summary": "l", "default": 2},
        "width": {"summary": "w", "default": 1, "infer": "${extent('layer0.weight', 0) / 4}"}
      },
      "inputs": [{"name": "x", "shape": ["N", "${4 * width}"]}],
      "blocks": {
        "layer": {
          "graph": [
            {"op": "dense", "weights": "${prefix}.weight", "channels": "${4 * width}",
             "binarize": "sign"},
            {"op": "add", "when": "${has('layer1.shift')}", "parameter": "layer1.shift"},
            {"op": "relu", "when": "${activation == 'relu'}"},
            {"op": "tanh", "when": "${activation == 'tanh'}"}
          ]
        }
      },
      "graph": [
        {"use": "layer", "each": {"i": "${range(layers)}"}, "with": {"prefix": "layer${i}"}},
        {"op": "dense", "weights": ["head.weight", "fc.weight"], "channels": "${classes}"}
      ],
      "ignore": [{"arrays": "projector.*.weight", "reason": "head of the pretraining"}],
      "prefixes": ["encoder_q."]
    }
    """

  private static func ones(_ shape: [Int]) -> Tensor {
    Tensor([Float](repeating: 1, count: shape.reduce(1, *)), shape: Shape(shape))
  }

  private static let arrays: [(name: String, tensor: Tensor)] = [
    ("layer0.weight", ones([8, 8])), ("layer1.weight", ones([8, 8])), ("fc.weight", ones([3, 8])),
  ]

  private func read(
    _ arrays: [(name: String, tensor: Tensor)], settings: [String: String] = [:],
    document: String = document
  ) throws -> SourceModel {
    let folder = try TemporaryFolder()
    let checkpoint = folder.path + "/checkpoint.npz"
    try NumPy.writeArchive(arrays, checkpoint)
    let file = try folder.write(Array(document.utf8), as: "sample.json")
    return try SourceModel(
      checkpointFile: checkpoint, architecture: Architecture(file: file), settings: settings)
  }

  private func problems(
    _ arrays: [(name: String, tensor: Tensor)], settings: [String: String] = [:]
  ) throws -> [ParameterProblem] {
    let error = try #require(throws: ImportError.self) { try read(arrays, settings: settings) }
    guard case .parameters(let problems) = error.reason else { throw error }
    #expect(error.category == .malformed)
    return problems
  }

  // MARK: Settings

  @Test func `What is not set is found in the checkpoint, else the default`() throws {
    let use = try #require(try read(Self.arrays, settings: ["activation": "tanh"]).checkpointUse)
    #expect(
      use.settings == [
        .init(name: "activation", value: "tanh", origin: .given),
        .init(name: "classes", value: "3", origin: .found),
        .init(name: "layers", value: "2", origin: .assumed),
        .init(name: "width", value: "2", origin: .found),
      ])
    #expect(use.prefix == "")
    #expect(use.loadedArrays == 3)
  }

  @Test(arguments: [
    (#"{"any_of": ["${extent('v', 0)}", "${true ? null : 1}", "${extent('fc.weight', 0)}"]}"#, 3),
    (#"{"any_of": []}"#, 7), (#""${null}""#, 7),
  ])
  func `The first of several expressions that has a value counts`(
    inference: String, classes: Int
  ) throws {
    let single = #""${extent('fc.weight', 0)}""#
    let document = Self.document.replacing(single, with: inference)
    let arrays = Self.arrays[..<2] + [(name: "fc.weight", tensor: Self.ones([classes, 8]))]
    let use = try #require(try read(Array(arrays), document: document).checkpointUse)
    let setting = use.settings.first { $0.name == "classes" }
    #expect(setting?.value == "\(classes)")
    #expect(setting?.origin == (classes == 3 ? .found : .assumed))
    let wrong = Self.document.replacing(single, with: #"{"first_of": ["1"]}"#)
    #expect(throws: ImportError.self) { try read(Self.arrays, document: wrong) }
  }

  @Test func `Steps depend on settings`() throws {
    let names = try read(Self.arrays, settings: ["activation": "tanh"]).graph.nodes.map(\.name)
    #expect(
      names == ["layer0/sign", "layer0", "tanh", "layer1/sign", "layer1", "tanh_1", "fc"])
    let one = try read(
      [Self.arrays[0], Self.arrays[2]], settings: ["layers": "1"])
    #expect(one.graph.nodes.map(\.name) == ["layer0/sign", "layer0", "relu", "fc"])
  }

  @Test(arguments: [("activation", "gelu"), ("layers", "many"), ("widht", "1")])
  func `Settings that there are not`(name: String, value: String) throws {
    let error = try #require(throws: ImportError.self) {
      try read(Self.arrays, settings: [name: value])
    }
    #expect(error.category == .usage)
    switch error.reason {
    case .unknownSetting("widht", let known):
      #expect(known == ["activation", "classes", "layers", "prefix", "width"])
    case .invalidSetting(name, value, _): break
    default: throw error
    }
  }

  @Test(arguments: [
    ("4", JSONValue.array([1]), JSONValue.number(4)),
    ("1,2", .array([1]), .array([.number(1), .number(2)])),
    ("[1, 2]", .array([1]), .array([.number(1), .number(2)])),
    ("true", .bool(false), .bool(true)), ("pre_add", .string("x"), .string("pre_add")),
  ])
  func `Values are read from text`(text: String, usual: JSONValue, value: JSONValue) throws {
    let place = JSONPlace(JSONText([]))
    let setting = ArchitectureSetting(
      name: "s", summary: "", defaultValue: usual, choices: nil, inferences: [], place: place)
    #expect(try setting.value(of: text) == value)
  }

  // MARK: Names

  @Test(arguments: ["module.", "module.encoder_q.", "a.b.c."])
  func `Beginnings of names are found`(prefix: String) throws {
    let more = [("\(prefix)bn.num_batches_tracked", Self.ones([]))]
    let use = try #require(
      try read(Self.arrays.map { (prefix + $0.name, $0.tensor) } + more).checkpointUse)
    #expect(use.prefix == prefix)
    #expect(use.ignoredArrays.map(\.reason) == ["counts batches in training"])
  }

  @Test func `A copy of the network is left out`() throws {
    let copies = ["module.encoder_k.", "module.encoder_q."].flatMap { prefix in
      Self.arrays.map { (prefix + $0.name, $0.tensor) }
    }
    let extra = [
      ("module.encoder_q.projector.0.weight", Self.ones([2])), ("queue", Self.ones([2])),
    ]
    let use = try #require(try read(copies + extra).checkpointUse)
    #expect(use.prefix == "module.encoder_q.")
    let reasons = Dictionary(uniqueKeysWithValues: use.ignoredArrays.map { ($0.name, $0.reason) })
    #expect(reasons.count == 5)
    #expect(reasons["module.encoder_q.projector.0.weight"] == "head of the pretraining")
    #expect(reasons["queue"] == "lies outside of 'module.encoder_q.'")
  }

  @Test func `Networks that are equally likely`() throws {
    let copies = ["a.", "b."].flatMap { prefix in
      Self.arrays.map { (prefix + $0.name, $0.tensor) }
    }
    let error = try #require(throws: ImportError.self) { try read(copies) }
    #expect(error.reason == .ambiguousPrefix(["a.", "b."]))
    #expect(error.category == .usage)
    #expect(try read(copies, settings: ["prefix": "b."]).checkpointUse?.prefix == "b.")
  }

  // MARK: Arrays that do not fit

  @Test func `All that is wrong is listed at once`() throws {
    let arrays = [
      ("layer0.weight", Self.ones([8, 8])), ("layer1.wieght", Self.ones([8, 8])),
      ("fc.weight", Self.ones([3, 9])), ("unrelated.value", Self.ones([1])),
    ]
    #expect(
      try problems(arrays) == [
        .missing(name: "layer1.weight", nearest: "layer1.wieght"),
        .shape(name: "fc.weight", found: [3, 9], expected: [3, 8]),
        .unexpected(name: "layer1.wieght", nearest: "layer1.weight"),
        .unexpected(name: "unrelated.value", nearest: nil),
      ])
  }

  @Test(arguments: [[64], [64, 1], [1, 8, 8], [8, 8, 1, 1]])
  func `Flat arrays and extents of 1 fit`(shape: [Int]) throws {
    let arrays = [("layer0.weight", Self.ones([8, 8])), ("layer1.weight", Self.ones(shape))]
    let graph = try read(arrays + [Self.arrays[2]]).graph
    let sign = try #require(graph.nodes.first { $0.name == "layer1/sign" }?.input(0))
    #expect(graph[sign].constant?.shape == [8, 8])
  }

  @Test func `Transposed arrays do not fit`() throws {
    let arrays = [Self.arrays[0], Self.arrays[1], ("fc.weight", Self.ones([8, 3]))]
    #expect(
      try problems(arrays, settings: ["classes": "3"]) == [
        .shape(name: "fc.weight", found: [8, 3], expected: [3, 8])
      ])
  }

  @Test(arguments: [
    ("a", "a", true), ("a", "b", false), ("a*", "abc", true), ("*c", "abc", true),
    ("a*c", "ac", true), ("a*a", "a", false), ("a*b*c", "axbyc", true), ("a*b*c", "axyc", false),
    ("*", "", true), ("a**c", "abc", true),
  ])
  func `Patterns of names`(pattern: String, name: String, matches: Bool) {
    #expect(CheckpointParameters.matches(name, pattern) == matches)
  }

  // MARK: Places

  @Test func `Errors name the line`() throws {
    for (text, wrong, line) in [
      ("\"binarize\": \"sign\"", "\"binarize\": \"sgin\"", 16),
      ("{\"op\": \"relu\", ", "{\"op\": \"rule\", ", 18),
      ("\"channels\": \"${classes}\"", "\"channels\": \"${1 / 0}\"", 25),
      ("\"default\": 7", "\"defualt\": 7", 7),
    ] {
      let document = Self.document.replacingOccurrences(of: text, with: wrong)
      let error = try #require(throws: ImportError.self) {
        try read(Self.arrays, document: document)
      }
      guard case .block(_, line) = error.place else {
        Issue.record("\(error)")
        continue
      }
    }
  }
}

extension JSONValue: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int) { self = .number(Double(value)) }
}

/// The schema that editors check descriptions with.
@Suite struct ArchitectureSchemaTests {
  @Test func `The schema has every operator, and no other`() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../docs/architecture.schema.json").standardizedFileURL
    let schema = try JSONValue.parse([UInt8](Data(contentsOf: path)))
    #expect(operators(in: schema) == ArchitectureOperator.all.keys.sorted())
  }

  private func operators(in value: JSONValue) -> [String] {
    switch value {
    case .object(let members):
      if case .object(let op)? = members["op"], case .array(let names)? = op["enum"] {
        return names.map(\.text)
      }
      return members.values.flatMap(operators).sorted()
    case .array(let elements): return elements.flatMap(operators).sorted()
    default: return []
    }
  }

  @Test(arguments: Architecture.names)
  func `What is shipped can be read and describes itself`(name: String) throws {
    let architecture = try Architecture(named: name)
    #expect(architecture.name == name)
    #expect(!architecture.summary.isEmpty)
    let settings = architecture.settings.map(\.name)
    #expect(settings.contains("width") && settings.contains("classes"))
    #expect(try !architecture.parameters().isEmpty)
  }
}
