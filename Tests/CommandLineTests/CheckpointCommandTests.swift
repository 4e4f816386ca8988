import BNNKit
import Foundation
import Testing

/// Checkpoints through the commands: architectures by name and by file, and what goes wrong.
@Suite struct CheckpointCommandTests {
  private static let checkpoint = Fixtures.path("checkpoints/bireal-18.npz")
  private static let input = Fixtures.path("checkpoints/residual.input.npy")
  private static let output = Fixtures.path("checkpoints/bireal-18.output.npy")
  private static let options = ["--architecture", "bireal-18", "--set", "resolution=32"]

  @Test func `A checkpoint converts and verifies by the name of its architecture`() throws {
    try Scratch.with { scratch in
      let model = scratch.file("out.bnn")
      try Command.run(
        "bnnconvert", [Self.checkpoint, model, "--verify"] + Self.options
      ).expectSuccess()
      try Command.run(
        "bnnverify",
        [Self.checkpoint, model, "--input", Self.input, "--expected", Self.output] + Self.options
      ).expectSuccess()
      // Another width would be another network.
      try Command.run(
        "bnnverify", [Self.checkpoint, model, "--set", "width=1"] + Self.options
      ).expectError(65, "wrong shape")
    }
  }

  @Test func `The report says what was found in the checkpoint`() throws {
    try Scratch.with { scratch in
      let run = try Command.run(
        "bnnconvert", [Self.checkpoint, scratch.file("out.bnn"), "--json"] + Self.options)
      run.expectSuccess()
      let report = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
      let use = try #require(report?["checkpoint"] as? [String: Any])
      #expect(use["architecture"] as? String == "bireal-18")
      let settings = try #require(use["settings"] as? [[String: String]])
      #expect(
        settings.contains { $0 == ["name": "resolution", "value": "32", "origin": "given"] })
      #expect(settings.contains { $0["name"] == "width" && $0["origin"] == "found" })
      let ignored = try #require(use["ignoredArrays"] as? [[String: String]])
      #expect(ignored.allSatisfy { $0["reason"]?.isEmpty == false })
    }
  }

  @Test func `Architectures are listed and described`() throws {
    let list = try Command.run("bnnconvert", ["--list-architectures"])
    list.expectSuccess()
    for name in Architecture.names { #expect(list.output.contains("\n\(name) ")) }
    let described = try Command.run(
      "bnnconvert", ["--describe", "bireal-18", "--set", "width=0.5", "--json"])
    described.expectSuccess()
    let details =
      try JSONSerialization.jsonObject(with: Data(described.output.utf8)) as? [String: Any]
    let parameters = try #require(details?["parameters"] as? [[String: Any]])
    #expect(parameters.first?["names"] as? [String] == ["conv1.weight"])
    #expect(parameters.first?["shape"] as? [Int] == [32, 3, 7, 7])
  }

  @Test func `Inspection says which architectures fit`() throws {
    let run = try Command.run("bnninspect", [Self.checkpoint])
    run.expectSuccess()
    #expect(run.output.contains("fits --architecture bireal-18 "))
    #expect(!run.output.contains("fits --architecture rbonn-18"))
    try Scratch.with { scratch in
      let path = scratch.file("other.npz")
      try NumPy.writeArchive(
        [("conv1.weight", Tensor([Float(0), 1, 1], shape: [3]))], path)
      let other = try Command.run("bnninspect", [path])
      other.expectSuccess()
      #expect(other.output.contains("no architecture of the toolkit fits"))
      #expect(other.output.contains("33.3 %"))
    }
  }

  @Test(arguments: [
    (["--architecture", "bireal-81"], Int32(64), "bireal-18"),
    (["--architecture", "bireal-18", "--set", "widht=1"], 64, "width"),
    (["--architecture", "bireal-18", "--set", "width"], 64, "width"),
    (["--architecture", "bireal-18", "--set", "width=1", "--set", "width=2"], 64, "twice"),
    (["--architecture", "bireal-18", "--set", "width=wide"], 64, "number"),
    (["--architecture", "rbonn-18", "--set", "resolution=32"], 65, "scale_factor"),
    (["--architecture", "/nowhere/a.json"], 66, "/nowhere/a.json"),
    ([], 64, "bnnconvert --list-architectures"),
  ])
  func `What does not fit is refused`(arguments: [String], status: Int32, word: String) throws {
    try Scratch.with { scratch in
      try Command.run(
        "bnnconvert", [Self.checkpoint, scratch.file("out.bnn")] + arguments
      ).expectError(status, word)
      #expect(try scratch.names().isEmpty)
    }
  }

  @Test func `An architecture that is wrong is an error with its line`() throws {
    try Scratch.with { scratch in
      let text = """
        {
          "format": "bnn-architecture", "version": 1,
          "inputs": [{"name": "x", "shape": ["N", 3]}],
          "graph": [
            {"op": "dense", "weights": "conv1.weight"},
            {"op": "swish"}
          ]
        }
        """
      let path = try scratch.file("a.json", holding: text)
      try Command.run(
        "bnnconvert", [Self.checkpoint, scratch.file("out.bnn"), "--architecture", path]
      ).expectError(65, "a.json")
      let wrong = try scratch.file(
        "a.json", holding: text.replacingOccurrences(of: "dense", with: "denes"))
      try Command.run(
        "bnnconvert", [Self.checkpoint, scratch.file("out.bnn"), "--architecture", wrong]
      ).expectError(65, "line 5: graph[0].op")
      let cycle = text.replacingOccurrences(
        of: "\"graph\"", with: "\"blocks\": {\"a\": {\"graph\": [{\"use\": \"a\"}]}}, \"graph\"")
      let used = cycle.replacingOccurrences(of: "{\"op\": \"swish\"}", with: "{\"use\": \"a\"}")
        .replacingOccurrences(
          of: "{\"op\": \"dense\", \"weights\": \"conv1.weight\"}", with: "{\"op\": \"relu\"}")
      let run = try Command.run(
        "bnnconvert",
        [
          Self.checkpoint, scratch.file("out.bnn"), "--architecture",
          try scratch.file("a.json", holding: used),
        ])
      run.expectError(65, "cycle: 'a', 'a'")
      #expect(!run.errors.contains("export"), "a description is not exported")
      #expect(try scratch.names() == ["a.json"])
    }
  }

  @Test func `Weights of a checkpoint replace those of an ONNX model`() throws {
    try Scratch.with { scratch in
      let source = try SourceModel(onnxFile: Fixtures.digits)
      let graph = source.graph
      let id = try #require(graph.valueIDs.first { graph[$0].name == "conv2.weight" })
      let weights = try #require(graph[id].constant)
      let path = scratch.file("weights.npz")
      let negated = Tensor(weights.floats.map { -$0 }, shape: weights.shape)
      try NumPy.writeArchive([("module.conv2.weight", negated)], path)
      let (old, new) = (scratch.file("old.bnn"), scratch.file("new.bnn"))
      try Command.run("bnnconvert", [Fixtures.digits, old]).expectSuccess()
      try Command.run("bnnconvert", [Fixtures.digits, new, "--weights", path]).expectSuccess()
      #expect(try Fixtures.bytes(old) != Fixtures.bytes(new))
      try Command.run("bnnverify", [Fixtures.digits, new, "--weights", path]).expectSuccess()
      #expect(try Command.run("bnnverify", [Fixtures.digits, new]).status == 1)
      try NumPy.writeArchive([("conv9.weight", negated)], path)
      try Command.run(
        "bnnconvert", [Fixtures.digits, scratch.file("x.bnn"), "--weights", path]
      ).expectError(65, "conv9.weight")
    }
  }

  @Test func `An archive holds all outputs and all inputs`() throws {
    try Scratch.with { scratch in
      let model = scratch.file("digits.bnn")
      try Command.run("bnnconvert", [Fixtures.digits, model]).expectSuccess()
      let images = try NumPy.readArray(Fixtures.digitsInputs)
      let name = try #require(BinaryModel(contentsOfFile: model).inputNames.first)
      let (inputs, outputs) = (scratch.file("inputs.npz"), scratch.file("outputs.npz"))
      try NumPy.writeArchive([(name, images)], inputs)
      try Command.run("bnnrun", [model, "--input", inputs, "--output", outputs]).expectSuccess()
      let single = scratch.file("single.npy")
      try Command.run(
        "bnnrun", [model, "--input", Fixtures.digitsInputs, "--output", single]
      ).expectSuccess()
      let archive = try NumPy.readArchive(outputs)
      #expect(archive.map(\.name) == ["logits"])
      #expect(try archive[0].tensor == NumPy.readArray(single))
    }
  }
}

extension BinaryModel {
  fileprivate var inputNames: [String] { inputs.map { values[$0].name } }
}
