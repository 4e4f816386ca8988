import Foundation
import Testing

@testable import BNNCommandLine

struct TuningTests {
  private struct Document: Decodable {
    struct Tuning: Decodable {
      struct Layer: Decodable {
        var name: String
        var chosen: String
        var fastest: String
        var milliseconds: [String: Double]
      }
      var layers: [Layer]
      var agreeing: Int
      var largestLoss: Double
    }
    var tuning: Tuning
  }

  @Test func everyBinaryLayerIsTimedWithEveryDesign() throws {
    try Scratch.with { scratch in
      let model = scratch.file("digits.bnn")
      try Command.run("bnnconvert", [Fixtures.digits, model]).expectSuccess()
      let run = try Command.run("bnnbench", [model, "--tune", "--runs", "2", "--json"])
      #expect(run.status == 0, "\(run.errors)")
      let tuning = try JSONDecoder().decode(Document.self, from: Data(run.output.utf8)).tuning
      #expect(tuning.layers.map(\.name) == ["/conv2/Conv", "/conv3/Conv", "/fc1/MatMul"])
      let products = { (layer: Document.Tuning.Layer) in
        Set(layer.milliseconds.keys.filter { $0.hasPrefix("bnn_bgemm") })
      }
      let designs = tuning.layers.first.map(products) ?? []
      #expect(!designs.isEmpty)
      for layer in tuning.layers {
        #expect(products(layer) == designs)
        // Bit slices are timed where they are chosen.
        #expect(Set(layer.milliseconds.keys) == designs.union([layer.chosen]))
        #expect(layer.milliseconds[layer.fastest] == layer.milliseconds.values.min())
      }
      #expect(tuning.agreeing == tuning.layers.count { $0.chosen == $0.fastest })
      #expect(tuning.largestLoss >= 0)
    }
  }

  /// What is chosen does not depend on what was measured.
  @Test func choiceIsTheSameInEveryRun() throws {
    try Scratch.with { scratch in
      let model = scratch.file("digits.bnn")
      try Command.run("bnnconvert", [Fixtures.digits, model]).expectSuccess()
      let choices = try (0..<2).map { _ in
        let run = try Command.run("bnnbench", [model, "--tune", "--runs", "1", "--json"])
        return try JSONDecoder().decode(Document.self, from: Data(run.output.utf8)).tuning.layers
          .map(\.chosen)
      }
      #expect(choices[0] == choices[1])
    }
  }

  @Test(arguments: [["--tune"], [Fixtures.digits, "--tune"]])
  func wrongUsage(_ arguments: [String]) throws {
    let run = try Command.run("bnnbench", arguments)
    #expect(run.status == ExitStatus.usage.rawValue)
    #expect(!run.errors.isEmpty)
  }
}
