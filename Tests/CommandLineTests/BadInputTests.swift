import Foundation
import Testing

/// Every kind of wrong input: its exit code, one line that says what and where, no output file.
@Suite struct BadInputTests {
  /// Converts a file that cannot be converted.
  private func expectRefusal(
    _ bytes: [UInt8], _ status: Int32, _ words: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try Scratch.with { scratch in
      let source = try scratch.file("in.onnx", holding: bytes)
      let result = try Command.run("bnnconvert", [source, scratch.file("out.bnn")])
      result.expectError(status, "in.onnx", sourceLocation: sourceLocation)
      for word in words {
        #expect(
          result.errors.contains(word), "'\(word)' is not in: \(result.errors)",
          sourceLocation: sourceLocation)
      }
      #expect(try scratch.names() == ["in.onnx"], sourceLocation: sourceLocation)
    }
  }

  @Test func emptyFile() throws { try expectRefusal([], 65) }

  @Test func notOnnx() throws {
    try expectRefusal(Array("This is a text, not a model.\n".utf8), 65)
    try expectRefusal([UInt8](repeating: 0xff, count: 1000), 65)
  }

  @Test(arguments: [1, 2, 100, 5000, 200_000]) func truncatedFile(rest: Int) throws {
    try expectRefusal(Array(try Fixtures.bytes(Fixtures.digits).dropLast(rest)), 65)
  }

  @Test func tensorShorterThanItsShape() throws {
    let model = OnnxBytes(
      nodes: [.init(op: "Add", name: "add", inputs: ["x", "w"], outputs: ["y"])],
      initializers: [.init(name: "w", dimensions: [1, 4], data: OnnxBytes.floats([1, 2, 3]))])
    try expectRefusal(model.bytes, 65, "'w'")
  }

  @Test func cycle() throws {
    let model = OnnxBytes(nodes: [
      .init(op: "Add", name: "first", inputs: ["x", "b"], outputs: ["a"]),
      .init(op: "Relu", name: "second", inputs: ["a"], outputs: ["b"]),
      .init(op: "Relu", name: "last", inputs: ["b"], outputs: ["y"]),
    ])
    try expectRefusal(model.bytes, 65, "cycle", "first", "second")
  }

  @Test func missingInput() throws {
    let model = OnnxBytes(nodes: [
      .init(op: "Add", name: "add", inputs: ["x", "nowhere"], outputs: ["y"])
    ])
    try expectRefusal(model.bytes, 65, "'add'", "'nowhere'")
  }

  @Test func unknownOperatorsAreAllListed() throws {
    let model = OnnxBytes(nodes: [
      .init(op: "Frobnicate", name: "one", inputs: ["x"], outputs: ["a"]),
      .init(op: "Relu", name: "known", inputs: ["a"], outputs: ["b"]),
      .init(op: "Transmogrify", name: "two", inputs: ["b"], outputs: ["y"], domain: "my.ops"),
    ])
    try expectRefusal(model.bytes, 2, "Frobnicate", "'one'", "Transmogrify", "'two'")
  }

  @Test func missingExternalFile() throws {
    let model = OnnxBytes(
      nodes: [.init(op: "Add", name: "add", inputs: ["x", "w"], outputs: ["y"])],
      initializers: [.init(name: "w", dimensions: [1, 4], externalFile: "weights.data")])
    try expectRefusal(model.bytes, 66, "weights.data")
  }

  @Test func externalFileOutsideTheFolder() throws {
    let model = OnnxBytes(
      nodes: [.init(op: "Add", name: "add", inputs: ["x", "w"], outputs: ["y"])],
      initializers: [.init(name: "w", dimensions: [1, 4], externalFile: "../weights.data")])
    try expectRefusal(model.bytes, 65, "../weights.data")
  }

  @Test func nothingBinary() throws {
    let model = OnnxBytes(nodes: [.init(op: "Relu", name: "r", inputs: ["x"], outputs: ["y"])])
    try expectRefusal(model.bytes, 2, "--allow-float")
  }

  @Test func outputThatExists() throws {
    try Scratch.with { scratch in
      let output = try scratch.file("out.bnn", holding: "precious")
      try Command.run("bnnconvert", [Fixtures.digits, output])
        .expectError(73, "out.bnn", "--force")
      #expect(try Fixtures.bytes(output) == Array("precious".utf8))
      try Command.run("bnnconvert", [Fixtures.digits, output, "--force"]).expectSuccess()
      #expect(try Fixtures.bytes(output).count > 1000)
    }
  }

  @Test func outputThatCannotBeWritten() throws {
    try Scratch.with { scratch in
      let inside = scratch.file("no-such-folder/out.bnn")
      try Command.run("bnnconvert", [Fixtures.digits, inside]).expectError(73, "out.bnn")
      let folder = scratch.file("folder.bnn")
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: false)
      try Command.run("bnnconvert", [Fixtures.digits, folder, "--force"])
        .expectError(73, "folder.bnn")
      #expect(try scratch.names() == ["folder.bnn"])
    }
  }

  @Test func wrongArguments() throws {
    try Scratch.with { scratch in
      let output = scratch.file("out.bnn")
      let cases: [([String], String)] = [
        ([Fixtures.digits, scratch.file("out.onnx")], ".bnn"),
        ([Fixtures.digits, output, "--report", scratch.file("r.txt")], ".json"),
        ([Fixtures.digits, output, "--disable-pass", "no-such-pass"], "no-such-pass"),
        ([Fixtures.digits, output, "--dump-after", "no-such-pass"], "no-such-pass"),
        ([Fixtures.digits, output, "--tolerance", "-1"], "--tolerance"),
        ([Fixtures.digits, output, "--sign-of-zero", "maybe"], "sign-of-zero"),
        ([Fixtures.digits, output, "--input-shape", "1,x"], "1,x"),
        ([Fixtures.digits, output, "--architecture", Fixtures.digitsLabels], "--architecture"),
        ([Fixtures.digits], "OUTPUT"),
      ]
      for (arguments, word) in cases {
        try Command.run("bnnconvert", arguments).expectError(64, word)
      }
      let checkpoint = try scratch.file("c.npz", holding: "PK")
      try Command.run("bnnconvert", [checkpoint, output]).expectError(64, "--architecture")
      #expect(try scratch.names() == ["c.npz"])
    }
  }

  @Test func changedByteInAModel() throws {
    try Scratch.with { scratch in
      let model = scratch.file("m.bnn")
      try Command.run("bnnconvert", [Fixtures.digits, model]).expectSuccess()
      let bytes = try Fixtures.bytes(model)
      // The format's own tests try every bit; here a few places of the file are enough.
      for place in [0, 8, 12, 40, 100, bytes.count / 2, bytes.count - 1] {
        var damaged = bytes
        damaged[place] ^= 0x10
        let path = try scratch.file("damaged.bnn", holding: damaged)
        for (command, arguments) in [
          ("bnnrun", [path, "--input", Fixtures.digitsInputs]), ("bnninspect", [path]),
          ("bnnbench", [path]), ("bnnverify", [path]), ("bnnverify", [Fixtures.digits, path]),
        ] {
          try Command.run(command, arguments).expectError(65, "damaged.bnn")
        }
      }
      let cut = try scratch.file("cut.bnn", holding: Array(bytes.dropLast(100)))
      try Command.run("bnninspect", [cut]).expectError(65, "cut.bnn")
      let empty = try scratch.file("empty.bnn", holding: "")
      try Command.run("bnninspect", [empty]).expectError(65, "empty.bnn")
    }
  }

  @Test func damagedArrays() throws {
    try Scratch.with { scratch in
      let inputs = try Fixtures.bytes(Fixtures.digitsInputs)
      let cut = try scratch.file("cut.npy", holding: Array(inputs.dropLast(10)))
      try Command.run("bnnrun", [Fixtures.digits, "--input", cut]).expectError(65, "cut.npy")
      let text = try scratch.file("text.npy", holding: "1 2 3")
      try Command.run("bnnrun", [Fixtures.digits, "--input", text]).expectError(65, "text.npy")
      let message = try scratch.file("text.pb", holding: "1 2 3")
      try Command.run("bnnrun", [Fixtures.digits, "--input", message]).expectError(65, "text.pb")
    }
  }
}
