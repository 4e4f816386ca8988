import BNNKit
import Foundation
import Testing

/// `bnnconvert --binarize` and what `bnnverify` needs to repeat it.
@Suite struct BinarizationTests {
  private let model = Fixtures.path("float-digits/model.onnx")
  private let calibration = Fixtures.path("float-digits/calibration.npy")

  @Test func convertsReportsAndVerifies() throws {
    try Scratch.with { scratch in
      let (file, report) = (scratch.file("m.bnn"), scratch.file("m.md"))
      let run = try Command.run(
        "bnnconvert",
        [
          model, file, "--binarize", "conv[23]=least-squares", "--binarize", "conv4",
          "--binarize-activations", "--calibration", calibration, "--verify", "--report", report,
          "--json",
        ])
      run.expectSuccess()
      let layers = try #require(try run.json()["binarization"] as? [[String: Any]])
      #expect(layers.map { $0["method"] as? String } == ["least-squares", "least-squares", "xnor"])
      #expect(layers.allSatisfy { $0["after"] is Double && $0["before"] is Double })
      let text = String(decoding: try Fixtures.bytes(report), as: UTF8.self)
      #expect(text.contains("## Binarization") && text.contains("least-squares, inputs too"))

      let verified = try Command.run(
        "bnnverify", [model, file, "--calibration", calibration, "--json"])
      verified.expectSuccess()
      #expect(try verified.json()["isLossy"] as? Bool == true)
      try Command.run("bnnverify", [model, file]).expectError(64, "--calibration")
      try Command.run("bnnverify", [model, file, "--calibration", Fixtures.digitsInputs])
        .expectError(64, "--calibration")
      // Equal inputs give equal files.
      let again = scratch.file("again.bnn")
      try Command.run(
        "bnnconvert",
        [
          model, again, "--binarize", "conv[23]=least-squares", "--binarize", "conv4",
          "--binarize-activations", "--calibration", calibration,
        ]
      ).expectSuccess()
      #expect(try Fixtures.bytes(again) == Fixtures.bytes(file))
    }
  }

  @Test func textSaysWhatBecameOfTheLayers() throws {
    try Scratch.with { scratch in
      let file = scratch.file("m.bnn")
      let run = try Command.run("bnnconvert", [model, file, "--binarize", "conv|fc=residual:2"])
      run.expectSuccess()
      #expect(run.output.contains("weight error") && run.output.contains("residual:2"))
      try Command.run("bnnverify", [model, file]).expectSuccess()
      let list = try Command.run("bnnconvert", ["--list-passes", "--binarize", "conv"])
      #expect(list.output.contains("approximate-weights"))
      // The layers of a binary network are binary already.
      let binary = try Command.run(
        "bnnconvert", [Fixtures.digits, scratch.file("b.bnn"), "--binarize", "conv2"])
      binary.expectSuccess()
      #expect(binary.errors.contains("binary already"))
    }
  }

  @Test func wrongUseIs64() throws {
    try Scratch.with { scratch in
      func convert(_ arguments: [String]) throws -> Command {
        try Command.run("bnnconvert", [model, scratch.file("m.bnn")] + arguments)
      }
      try convert(["--binarize", "conv("]).expectError(64, "--binarize", "'conv('")
      try convert(["--binarize", "dense"]).expectError(64, "'dense'", "'/conv4/Conv'")
      try convert(["--binarize", "conv=qubi"]).expectError(64, "qubo")
      for method in ["qubo", "least-squares", "bilinear"] {
        try convert(["--binarize", "conv=\(method)"]).expectError(64, method, "--calibration")
      }
      try convert(["--binarize", "conv", "--binarize-activations"])
        .expectError(64, "--binarize-activations", "--calibration")
      try convert(["--binarize-activations"]).expectError(64, "--binarize;")
      let qubo = ["--binarize", "conv=qubo", "--calibration"]
      try convert(qubo + ["picture=\(calibration)"]).expectError(64, "'image'")
      try convert(qubo + [Fixtures.digitsExpected]).expectError(64, "image")
      try convert(qubo + [scratch.file("none.npy")]).expectError(66)
      #expect(try scratch.names() == [])
      // A file that needs none.
      let file = scratch.file("m.bnn")
      try convert(["--binarize", "conv"]).expectSuccess()
      try Command.run("bnnverify", [model, file]).expectSuccess()
      try Command.run("bnnverify", [file, "--calibration", calibration])
        .expectError(64, "--calibration")
    }
  }
}
