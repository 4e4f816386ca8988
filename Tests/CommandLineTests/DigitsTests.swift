import BNNKit
import Foundation
import Testing

/// The network in fixtures/digits through all commands.
@Suite struct DigitsTests {
  /// What its README says of its accuracy in ONNX Runtime.
  static let rightImages = 531
  static let images = 540

  private static func withModel(_ body: (Scratch, String) throws -> Void) throws {
    try Scratch.with { scratch in
      let model = scratch.file("digits.bnn")
      try Command.run("bnnconvert", [Fixtures.digits, model]).expectSuccess()
      try body(scratch, model)
    }
  }

  @Test func convertsToALittleMoreThanItsBits() throws {
    try Self.withModel { scratch, model in
      let names = try scratch.names()
      #expect(names == ["digits.bnn"])
      let binary = 32 * 64 * 9 + 64 * 64 * 9 + 256 * 128
      let real = 32 * 9 + 128 * 10 + 10
      let parameters = 4 * (32 + 64 + 64 + 128) * 2
      let payload = binary / 8 + 4 * real + parameters
      #expect(try Fixtures.bytes(model).count <= payload * 101 / 100 + 4096)
    }
  }

  @Test func sameBytesEveryTime() throws {
    try Self.withModel { scratch, model in
      let again = scratch.file("again.bnn")
      try Command.run("bnnconvert", [Fixtures.digits, again]).expectSuccess()
      #expect(try Fixtures.bytes(model) == Fixtures.bytes(again))
    }
  }

  @Test(arguments: ["1", "2"]) func runReproducesTheRecordedOutputs(threads: String) throws {
    try Self.withModel { scratch, model in
      for source in [model, Fixtures.digits] {
        let output = scratch.file("y.npy")
        try Command.run(
          "bnnrun",
          [source, "--input", Fixtures.digitsInputs, "--output", output, "--threads", threads]
        ).expectSuccess()
        let found = try NumPy.readArray(output)
        let expected = try NumPy.readArray(Fixtures.digitsExpected)
        #expect(found.shape == expected.shape)
        let scale = expected.floats.map(abs).max() ?? 0
        for (x, y) in zip(found.floats, expected.floats) { #expect(abs(x - y) <= 1e-4 * scale) }
      }
    }
  }

  @Test func accuracyIsTheRecordedOne() throws {
    try Self.withModel { _, model in
      let run = try Command.run(
        "bnnrun",
        [
          model, "--input", "image=\(Fixtures.digitsInputs)", "--labels", Fixtures.digitsLabels,
          "--json",
        ])
      run.expectSuccess()
      let json = try run.json()
      #expect(json["schemaVersion"] as? Int == 1)
      let accuracy = try #require(json["accuracy"] as? [String: Int])
      #expect(accuracy == ["right": Self.rightImages, "images": Self.images])
    }
  }

  @Test func verifyMatches() throws {
    try Self.withModel { _, model in
      let seeded = try Command.run("bnnverify", [Fixtures.digits, model])
      seeded.expectSuccess()
      #expect(seeded.output.contains("match"))
      let recorded = try Command.run(
        "bnnverify",
        [
          Fixtures.digits, model, "--input", Fixtures.digitsInputs, "--expected",
          Fixtures.digitsExpected, "--json",
        ])
      recorded.expectSuccess()
      let json = try recorded.json()
      #expect(json["schemaVersion"] as? Int == 1)
      #expect(json["verdict"] as? String == "match")
      let layers = try #require(json["layers"] as? [[String: Any]])
      #expect(layers.contains { $0["kind"] as? String == "binary" })
      for layer in layers {
        #expect(layer["mismatches"] as? Int == 0)
        #expect(layer["name"] is String && layer["compared"] is Int)
        #expect(layer["maximumError"] is Double)
      }
      let endToEnd = try #require(json["endToEnd"] as? [String: Any])
      #expect(endToEnd["flips"] is Int && endToEnd["maximumError"] is Double)
      #expect(endToEnd["top1Agreement"] as? Double == 1)
    }
  }

  @Test func verifyFindsWrongExpectations() throws {
    try Self.withModel { scratch, model in
      var wrong = try NumPy.readArray(Fixtures.digitsExpected).floats
      wrong[17] += 1
      let path = scratch.file("wrong.npy")
      try NumPy.writeArray(Tensor(wrong, shape: [Self.images, 10]), path)
      let result = try Command.run(
        "bnnverify",
        [Fixtures.digits, model, "--input", Fixtures.digitsInputs, "--expected", path, "--json"])
      #expect(result.status == 1)
      #expect(try result.json()["verdict"] as? String == "mismatch")
    }
  }

  @Test func verifyOfAFileAloneMatches() throws {
    try Self.withModel { _, model in
      let result = try Command.run("bnnverify", [model, "--threads", "3", "--json"])
      result.expectSuccess()
      let json = try result.json()
      #expect(json["verdict"] as? String == "match")
      let runs = try #require(json["threading"] as? [[String: Any]])
      #expect(runs.count >= 2)
      for run in runs {
        #expect(run["mismatches"] as? Int == 0 && run["compared"] as? Int ?? 0 > 0)
      }
    }
  }

  @Test func reportAndInspectionAgree() throws {
    try Self.withModel { scratch, model in
      let report = scratch.file("report.json")
      let copy = scratch.file("copy.bnn")
      try Command.run("bnnconvert", [Fixtures.digits, copy, "--report", report]).expectSuccess()
      let reported = try #require(
        try JSONSerialization.jsonObject(with: Data(Fixtures.bytes(report))) as? [String: Any])
      let inspected = try Command.run("bnninspect", [model, "--json"]).json()
      let source = try Command.run("bnninspect", [Fixtures.digits, "--json"]).json()
      for json in [reported, inspected, source] {
        #expect(json["schemaVersion"] as? Int == 1)
        #expect(json["sourceBytes"] as? Int == (try Fixtures.bytes(Fixtures.digits).count))
        #expect(json["outputBytes"] as? Int == (try Fixtures.bytes(model).count))
        let layers = try #require(json["layers"] as? [[String: Any]])
        let binary = layers.filter { $0["kind"] as? String == "binary" }
        let macs = binary.map { $0["binaryMACs"] as? Int ?? 0 }.reduce(0, +)
        #expect(macs == 64 * 64 * 32 * 9 + 16 * 64 * 64 * 9 + 256 * 128)
        let weighted = layers.filter { $0["bitsPerWeight"] is Double }
        #expect(weighted.count == 5)
        #expect(json["signs"] is [Any])
        for layer in layers {
          let (packed, source) = (layer["packedBytes"] as? Int, layer["sourceBytes"] as? Int)
          #expect(try #require(packed) < #require(source))
          #expect(layer["coding"] is String && layer["isEntropyCoded"] is Bool)
          #expect(layer["entropyPerWeight"] is Double)
        }
      }
    }
  }

  @Test func markdownReport() throws {
    try Scratch.with { scratch in
      let report = scratch.file("report.md")
      try Command.run(
        "bnnconvert", [Fixtures.digits, scratch.file("m.bnn"), "--report", report]
      ).expectSuccess()
      let text = String(decoding: try Fixtures.bytes(report), as: UTF8.self)
      #expect(text.hasPrefix("# "))
      #expect(text.contains("| binary |"))
    }
  }

  @Test func sizesAddUpToTheFile() throws {
    try Self.withModel { scratch, model in
      let report = scratch.file("report.json")
      try Command.run(
        "bnnconvert", [Fixtures.digits, scratch.file("copy.bnn"), "--report", report]
      ).expectSuccess()
      let reported = try #require(
        try JSONSerialization.jsonObject(with: Data(Fixtures.bytes(report))) as? [String: Any])
      let inspected = try Command.run("bnninspect", [model, "--json"]).json()
      for json in [reported, inspected] {
        let parts = try #require(json["parts"] as? [[String: Any]])
        let bytes = parts.map { $0["bytes"] as? Int ?? 0 }.reduce(0, +)
        #expect(bytes == (try Fixtures.bytes(model).count))
        #expect(parts.contains { $0["part"] as? String == "binaryWeights" })
        let savings = try #require(json["savings"] as? [[String: Any]])
        #expect(savings.contains { $0["rounding"] as? String == "int8Weights" })
      }
      let tensors = try #require(inspected["tensors"] as? [[String: Any]])
      #expect(tensors.allSatisfy { ($0["bytes"] as? Int ?? 0) <= ($0["rawBytes"] as? Int ?? 0) })
      let text = try Command.run("bnninspect", [model]).output
      #expect(text.contains("bytes by kind") && text.contains("real weights to float16"))
    }
  }

  @Test func htmlReportNeedsNoOtherFile() throws {
    try Scratch.with { scratch in
      let name = "a <b> & \"c\".onnx"
      let source = scratch.file(name)
      try Data(Fixtures.bytes(Fixtures.digits)).write(to: URL(fileURLWithPath: source))
      let report = scratch.file("report.html")
      try Command.run("bnnconvert", [source, scratch.file("m.bnn"), "--report", report])
        .expectSuccess()
      let text = String(decoding: try Fixtures.bytes(report), as: UTF8.self)
      #expect(text.hasPrefix("<!DOCTYPE html>") && text.hasSuffix("</html>\n"))
      #expect(text.contains("a &lt;b&gt; &amp; &quot;c&quot;.onnx"))
      #expect(!text.contains("<b>") && !text.contains("http") && !text.contains("<script"))
      #expect(text.contains("<h2>Layers</h2>") && text.contains("<h2>Bytes by kind</h2>"))
      for tag in ["table", "tr", "td", "th", "ul", "li", "div"] {
        let opened =
          text.components(separatedBy: "<\(tag)>").count
          + text.components(separatedBy: "<\(tag) ").count - 2
        #expect(opened == text.components(separatedBy: "</\(tag)>").count - 1, "\(tag)")
      }
    }
  }

  @Test func benchMeasures() throws {
    try Self.withModel { _, model in
      let result = try Command.run("bnnbench", [model, "--runs", "5", "--layers", "--json"])
      result.expectSuccess()
      let json = try result.json()
      let latency = try #require(json["latencyMilliseconds"] as? [String: Double])
      let (least, median, p90) = (latency["min"], latency["median"], latency["p90"])
      #expect(try #require(least) > 0)
      #expect(try #require(least) <= #require(median))
      #expect(try #require(median) <= #require(p90))
      #expect(json["threads"] as? Int == 1 && json["runs"] as? Int == 5)
      #expect(json["kernels"] is String)
      #expect(try #require(json["loadMilliseconds"] as? Double) > 0)
      let memory = try #require(json["memoryBytes"] as? [String: Int])
      #expect(memory.keys.sorted() == ["steps", "values", "weights"])
      #expect(memory.values.allSatisfy { $0 > 0 })
      let layers = try #require(json["layers"] as? [[String: Any]])
      #expect(layers.contains { $0["binaryMACs"] as? Int == 16 * 64 * 64 * 9 })
    }
  }

  @Test func dryRunWritesNothing() throws {
    try Scratch.with { scratch in
      try Command.run("bnnconvert", [Fixtures.digits, scratch.file("m.bnn"), "--dry-run"])
        .expectSuccess()
      let json = try Command.run("bnnconvert", [Fixtures.digits, "--dry-run", "--json"]).json()
      #expect(json["outputBytes"] as? Int ?? 0 > 0)
      #expect(try scratch.names() == [])
    }
  }

  @Test func verifyWhileConverting() throws {
    try Scratch.with { scratch in
      let result = try Command.run(
        "bnnconvert", [Fixtures.digits, scratch.file("m.bnn"), "--verify"])
      result.expectSuccess()
      #expect((result.output + result.errors).contains("match"))
      #expect(try scratch.names() == ["m.bnn"])
    }
  }

  @Test func closedOutputIsAnErrorAndNoCrash() throws {
    try Self.withModel { _, model in
      let result = try Command.run("bnninspect", [model], closingOutput: true)
      #expect(result.exited)
      #expect(result.status == 74)
    }
  }
}
