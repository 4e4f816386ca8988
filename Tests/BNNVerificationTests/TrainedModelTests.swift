import BNNKit
import Foundation
import Testing

/// Trained networks, where the folder of test models is there: they match, and one changed bit in
/// any layer does not.
@Suite(
  .enabled(
    if: ProcessInfo.processInfo.environment["BNN_MODELS"] != nil,
    "BNN_MODELS does not name the folder of test models"))
struct TrainedModelTests {
  private static let names = [
    "zoo/digits_mlp-leg13", "zoo/digits_mlp-leg9-folded", "zoo/digits_mlp-dyn_default",
    "zoo/digits_cnn-leg9", "zoo/digits_cnn-leg11", "zoo/digits_cnn-leg17-folded",
    "zoo/digits_cnn-dyn18", "zoo/digits_bireal-leg13", "zoo/digits_bireal-dyn18",
    "zoo/digits_ftbnn-leg13", "zoo/digits_ftbnn-dyn20",
  ]

  private func conversion(_ name: String) throws -> (Graph, Conversion) {
    let folder = ProcessInfo.processInfo.environment["BNN_MODELS"] ?? ""
    let source = try SourceModel(onnxFile: "\(folder)/\(name).onnx")
    let converter = try Converter()
    return (try converter.resolveSigns(of: source), try converter.convert(source))
  }

  @Test(arguments: names)
  func matches(name: String) throws {
    let (source, conversion) = try conversion(name)
    let model = try BinaryModel(decoding: conversion.model.encoded())
    let report = try Verifier(source: source, canonical: conversion.canonical, model: model)
      .verify()
    #expect(report.verdict == .match, "\(report)")
    #expect(try SelfCheck(model).run().verdict == .match)
  }

  @Test(arguments: ["zoo/digits_cnn-leg11", "zoo/digits_bireal-leg13", "zoo/digits_ftbnn-leg13"])
  func oneChangedBitIsFoundInEveryLayer(name: String) throws {
    let (source, conversion) = try conversion(name)
    for index in conversion.model.layers.indices {
      guard let model = conversion.model.changingWeight(41, ofLayer: index) else { continue }
      let report = try Verifier(source: source, canonical: conversion.canonical, model: model)
        .verify()
      #expect(report.verdict == .mismatch)
      #expect(report.firstMismatch?.name == model.layers[index].name)
    }
  }
}
