import BNNKit
import Testing

/// The lossy choices of `bnnconvert`, and what the other commands say of their files.
@Suite struct StorageTests {
  private func report(
    _ options: [String], _ scratch: Scratch, name: String = "m.bnn"
  ) throws -> [String: Any] {
    let run = try Command.run(
      "bnnconvert",
      [Fixtures.digits, scratch.file(name), "--force", "--verify", "--json"] + options)
    run.expectSuccess()
    return try run.json()
  }

  @Test(
    arguments: [
      ["--float-storage", "float16"], ["--float-storage", "bfloat16"], ["--float-storage", "int8"],
      ["--vector-storage", "float16"], ["--kernel-codebook", "16"], ["--bits-per-weight", "0.34"],
      ["--layer", "conv=int8,vectors:float16", "--layer", ".*=kernels:64"],
    ])
  func choicesShrinkTheFileAndAreVerified(_ options: [String]) throws {
    try Scratch.with { scratch in
      let exact = try report([], scratch)
      #expect(exact["change"] == nil)
      let lossy = try report(options, scratch)
      let bytes = try #require(lossy["outputBytes"] as? Int)
      #expect(try bytes < #require(exact["outputBytes"] as? Int))
      #expect(try bytes == Fixtures.bytes(scratch.file("m.bnn")).count)
      let change = try #require(lossy["change"] as? [String: Any])
      #expect(change["inputs"] as? String == "seeded" && change["samples"] as? Int == 8)
      #expect(try #require(change["maximumError"] as? Double) > 0)
      #expect(try !#require(change["layers"] as? [[String: Any]]).isEmpty)

      let verified = try Command.run(
        "bnnverify", [Fixtures.digits, scratch.file("m.bnn"), "--json"])
      verified.expectSuccess()
      #expect(try verified.json()["isLossy"] as? Bool == true)
      // The file says what was chosen.
      let inspected = try Command.run("bnninspect", [scratch.file("m.bnn"), "--json"])
      let recorded = try #require(try inspected.json()["options"] as? [String: String])
      #expect(recorded.count > 1, "\(recorded)")
    }
  }

  @Test func bitsPerWeightAreKernels() throws {
    try Scratch.with { scratch in
      _ = try report(["--bits-per-weight", "0.56"], scratch, name: "a.bnn")
      _ = try report(["--kernel-codebook", "32"], scratch, name: "b.bnn")
      #expect(try Fixtures.bytes(scratch.file("a.bnn")) == Fixtures.bytes(scratch.file("b.bnn")))
    }
  }

  @Test func maxErrorFailsTheConversion() throws {
    try Scratch.with { scratch in
      let options = ["--kernel-codebook", "2", "--max-error"]
      try Command.run("bnnconvert", [Fixtures.digits, scratch.file("m.bnn")] + options + ["1e-6"])
        .expectError(2, "--max-error allows")
      #expect(try scratch.names() == [])
      try Command.run(
        "bnnconvert", [Fixtures.digits, scratch.file("m.bnn"), "--verify"] + options + ["10"]
      ).expectSuccess()
    }
  }

  /// The file remembers the limit, which decides on the inputs on which it was measured.
  @Test func verificationHoldsTheFileToItsLimit() throws {
    try Scratch.with { scratch in
      let path = scratch.file("m.bnn")
      for calibration in [[], ["--calibration", Fixtures.digitsInputs]] {
        _ = try report(["--float-storage", "int8", "--max-error", "9"] + calibration, scratch)
        try Command.run("bnnverify", [Fixtures.digits, path] + calibration).expectSuccess()
        var model = try BinaryModel(contentsOfFile: path)
        let limit = try #require(
          model.provenance.options.firstIndex { $0.key == "max-error" })
        model.provenance.options[limit].value = "1e-6"
        try model.write(toFile: path, overwriting: true)
        let run = try Command.run("bnnverify", [Fixtures.digits, path] + calibration)
        #expect(run.status == 1)
        #expect(run.output.contains("is allowed"))
        // On other inputs nothing was promised.
        try Command.run("bnnverify", [Fixtures.digits, path, "--seed", "5"]).expectSuccess()
      }
    }
  }

  @Test func reportsTellWhatChanged() throws {
    try Scratch.with { scratch in
      for suffix in ["md", "html"] {
        let file = scratch.file("r.\(suffix)")
        _ = try report(["--float-storage", "int8", "--report", file], scratch)
        let text = String(decoding: try Fixtures.bytes(file), as: UTF8.self)
        #expect(text.contains("Lossy choices"))
        #expect(text.contains("outputs change by at most"))
        #expect(text.contains("kernels to the nearest of 32"))
      }
    }
  }

  /// Two conversions with the same choices give the same bytes.
  @Test func choicesAreRepeatable() throws {
    try Scratch.with { scratch in
      let options = ["--float-storage", "int8", "--kernel-codebook", "24"]
      _ = try report(options, scratch, name: "a.bnn")
      _ = try report(options, scratch, name: "b.bnn")
      #expect(try Fixtures.bytes(scratch.file("a.bnn")) == Fixtures.bytes(scratch.file("b.bnn")))
    }
  }

  /// A changed number of a lossy file is found as in an exact one.
  @Test func verificationFindsAChangedNumber() throws {
    try Scratch.with { scratch in
      let path = scratch.file("m.bnn")
      _ = try report(["--float-storage", "float16", "--kernel-codebook", "16"], scratch)
      var model = try BinaryModel(contentsOfFile: path)
      let index = try #require(
        model.layers.firstIndex { layer in
          if case .convolution(_, .float32, _) = layer.operation { true } else { false }
        })
      guard
        case .convolution(let geometry, .float32(var numbers, let shape), let epilogue) =
          model.layers[index].operation
      else { return }
      numbers[0] *= 2
      model.layers[index].operation = .convolution(
        geometry, weights: .float32(numbers, shape: shape), epilogue)
      try model.write(toFile: path, overwriting: true)
      let run = try Command.run("bnnverify", [Fixtures.digits, path])
      #expect(run.status == 1)
      #expect(run.output.contains(model.layers[index].name))
    }
  }

  @Test(
    arguments: [
      (["--float-storage", "float8"], "float16"), (["--vector-storage", "int8"], "float16"),
      (["--kernel-codebook", "0"], "1 to 512"), (["--kernel-codebook", "513"], "1 to 512"),
      (["--bits-per-weight", "1.5"], "0 to 1"),
      (["--kernel-codebook", "8", "--bits-per-weight", "0.5"], "give one"),
      (["--layer", "conv"], "SETTING"), (["--layer", "conv=float12"], "float12"),
      (["--layer", "(=int8"], "regular expression"),
      (["--layer", "conv9=int8"], "/conv1/Conv"),
      (["--percentile", "99"], "int8-compute"), (["--percentile", "10"], "50 to 100"),
      (["--max-error", "0.1"], "--float-storage"),
      (["--max-error", "-1", "--float-storage", "int8"], "--max-error"),
    ])
  func wrongUseIs64(_ options: [String], _ text: String) throws {
    try Scratch.with { scratch in
      try Command.run("bnnconvert", [Fixtures.digits, scratch.file("m.bnn")] + options)
        .expectError(64, text)
      #expect(try scratch.names() == [])
    }
  }

  @Test func percentilesNarrowTheRange() throws {
    try Scratch.with { scratch in
      let options = ["--float-storage", "int8-compute", "--calibration", Fixtures.digitsInputs]
      var scales: [Float] = []
      for percentile in ["100", "98"] {
        _ = try report(options + ["--percentile", percentile], scratch)
        let model = try BinaryModel(contentsOfFile: scratch.file("m.bnn"))
        for layer in model.layers {
          guard case .quantizedConvolution(_, _, let input, _) = layer.operation else { continue }
          scales.append(input.scale)
          break
        }
        try Command.run(
          "bnnverify",
          [Fixtures.digits, scratch.file("m.bnn"), "--input", Fixtures.digitsInputs]
        ).expectSuccess()
      }
      #expect(scales.count == 2 && scales[1] <= scales[0])
    }
  }

  /// One layer in integers, the other one rounded.
  @Test func layersChooseBetweenRoundingAndIntegers() throws {
    try Scratch.with { scratch in
      let lossy = try report(
        [
          "--layer", "conv1=int8-compute", "--float-storage", "float16", "--calibration",
          Fixtures.digitsInputs,
        ], scratch)
      let layers = try #require(lossy["layers"] as? [[String: Any]])
      let codings = layers.compactMap { $0["coding"] as? String }
      #expect(codings.contains("int8") && codings.contains("float16"), "\(codings)")
    }
  }
}
