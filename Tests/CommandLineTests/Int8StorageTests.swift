import BNNKit
import Testing

/// `bnnconvert --float-storage int8-compute` and what the other commands say of its files.
@Suite struct Int8StorageTests {
  private let options = ["--float-storage", "int8-compute"]

  @Test func convertsVerifiesAndDescribes() throws {
    try Scratch.with { scratch in
      let (exact, model) = (scratch.file("exact.bnn"), scratch.file("m.bnn"))
      try Command.run("bnnconvert", [Fixtures.digits, exact]).expectSuccess()
      let run = try Command.run(
        "bnnconvert",
        [Fixtures.digits, model, "--verify", "--json", "--calibration", Fixtures.digitsInputs]
          + options)
      run.expectSuccess()
      let layers = try #require(try run.json()["layers"] as? [[String: Any]])
      #expect(layers.count { $0["coding"] as? String == "int8" } == 2)
      #expect(try Fixtures.bytes(model).count < Fixtures.bytes(exact).count)
      // The exact file does not say what it did not do.
      #expect(try !String(decoding: Fixtures.bytes(exact), as: UTF8.self).contains("float-storage"))

      let verified = try Command.run(
        "bnnverify", [Fixtures.digits, model, "--input", Fixtures.digitsInputs, "--json"])
      verified.expectSuccess()
      let report = try verified.json()
      #expect(report["verdict"] as? String == "match")
      #expect(report["isLossy"] as? Bool == true)
      let compared = try #require(report["layers"] as? [[String: Any]])
      #expect(compared.count { ($0["distance"] as? Double ?? 0) > 0 } == 2)
      try Command.run("bnnverify", [model]).expectSuccess()
      let inspected = try Command.run("bnninspect", [model])
      inspected.expectSuccess()
      #expect(inspected.output.contains("int8 convolution"))
      let timed = try Command.run("bnnbench", [model, "--layers", "--runs", "1"])
      #expect(timed.output.contains("bnn_igemm_"))
    }
  }

  /// The change of the outputs on the inputs for calibration decides, and the file remembers.
  @Test func maxErrorDecides() throws {
    try Scratch.with { scratch in
      func convert(_ limit: String, _ name: String) throws -> Command {
        try Command.run(
          "bnnconvert",
          [
            Fixtures.digits, scratch.file(name), "--verify", "--json", "--max-error", limit,
            "--calibration", Fixtures.digitsInputs,
          ] + options)
      }
      let loose = try convert("0.9", "loose.bnn")
      loose.expectSuccess()
      let change = try #require(try loose.json()["change"] as? [String: Any])
      let error = try #require(change["maximumError"] as? Double)
      #expect(error > 1e-3 && error < 0.9)
      #expect(change["inputs"] as? String == "calibration")
      #expect((change["layers"] as? [Any])?.count == 2)
      try convert("0.0001", "strict.bnn").expectError(2, "--max-error allows 1.0e-4")
      #expect(try scratch.names() == ["loose.bnn"])
      let verify = ["--input", Fixtures.digitsInputs]
      try Command.run("bnnverify", [Fixtures.digits, scratch.file("loose.bnn")] + verify)
        .expectSuccess()
    }
  }

  @Test func wrongUseIs64() throws {
    try Scratch.with { scratch in
      func convert(_ arguments: [String]) throws -> Command {
        try Command.run("bnnconvert", [Fixtures.digits, scratch.file("m.bnn")] + arguments)
      }
      try convert(options).expectError(64, "/conv1/Conv", "--calibration")
      try convert(["--float-storage", "int4"]).expectError(64, "int8-compute")
      try convert(["--calibration", Fixtures.digitsInputs]).expectError(64, "--float-storage")
      try convert(["--max-error", "0.1"]).expectError(64, "--float-storage")
      try convert(options + ["--max-error", "nan"]).expectError(64, "--max-error")
      try convert(options + ["--calibration", "picture=\(Fixtures.digitsInputs)"])
        .expectError(64, "'image'")
      try convert(options + ["--calibration", Fixtures.digitsExpected]).expectError(64)
      try convert(options + ["--calibration", scratch.file("none.npy")]).expectError(66)
      #expect(try scratch.names() == [])
    }
  }
}
