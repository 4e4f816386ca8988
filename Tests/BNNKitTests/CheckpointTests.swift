import BNNKit
import Foundation
import Testing

/// Checkpoints become the networks that their authors' code computes: against PyTorch's outputs.
struct CheckpointTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("fixtures/checkpoints").path

  struct Case: Sendable, CustomTestStringConvertible {
    var file: String
    var architecture: String
    var settings: [String: String] = [:]
    /// What the recorded outputs are called where settings are given.
    var variant: String?
    var prefix = ""
    /// Settings that must be found in the checkpoint, beside those that are given.
    var found: [String: String]
    var binaryConvolutions: Int
    /// The stem, the convolutions of shortcuts and the classifier.
    var realLayers: Int

    var testDescription: String { [file, variant].compactMap(\.self).joined(separator: ".") }
  }

  static let cases = [
    Case(
      file: "bireal-18", architecture: "bireal-18", prefix: "module.",
      found: ["width": "0.046875", "classes": "10"], binaryConvolutions: 16, realLayers: 5),
    Case(
      file: "bireal-34", architecture: "bireal-34",
      found: ["width": "0.046875", "classes": "10"], binaryConvolutions: 32, realLayers: 5),
    Case(
      file: "reactnet-18", architecture: "reactnet-18", prefix: "module.",
      found: ["width": "0.046875", "classes": "10"], binaryConvolutions: 16, realLayers: 5),
    Case(
      file: "reactnet-a", architecture: "reactnet-a", prefix: "module.",
      found: ["width": "0.0625", "classes": "10"], binaryConvolutions: 31, realLayers: 2),
    Case(
      file: "s2bnn", architecture: "s2bnn", prefix: "module.encoder_q.",
      found: ["width": "0.03125", "head": "none"], binaryConvolutions: 31, realLayers: 1),
    Case(
      file: "s2bnn-classifier", architecture: "s2bnn",
      found: ["width": "0.03125", "head": "linear", "classes": "10"], binaryConvolutions: 31,
      realLayers: 2),
    Case(
      file: "rbonn-18", architecture: "rbonn-18",
      found: ["width": "0.046875", "classes": "10"], binaryConvolutions: 16, realLayers: 5),
    Case(
      file: "snn-18", architecture: "snn-18", prefix: "module.",
      found: ["width": "0.0625", "classes": "10", "patterns": "32"], binaryConvolutions: 16,
      realLayers: 5),
    Case(
      file: "xnor-resnet-18", architecture: "xnor-resnet-18",
      found: ["width": "0.078125", "classes": "10"], binaryConvolutions: 16, realLayers: 5),
    Case(
      file: "xnor-resnet-18", architecture: "xnor-resnet-18",
      settings: ["activation_scale": "map"], variant: "map",
      found: ["width": "0.078125", "classes": "10"], binaryConvolutions: 16, realLayers: 5),
    Case(
      file: "sbnn-cifar-10", architecture: "sbnn-resnet18", prefix: "module.",
      found: ["width": "0.0625", "classes": "10", "form": "cifar-10"], binaryConvolutions: 16,
      realLayers: 5),
    Case(
      file: "sbnn-cifar-100", architecture: "sbnn-resnet18",
      found: ["width": "0.046875", "classes": "10", "form": "cifar-100"], binaryConvolutions: 16,
      realLayers: 5),
    Case(
      file: "sbnn-cifar-100-codebook", architecture: "sbnn-resnet18",
      found: ["width": "0.046875", "form": "cifar-100", "patterns": "32"], binaryConvolutions: 16,
      realLayers: 5),
    Case(
      file: "sbnn-reactnet-a", architecture: "sbnn-reactnet-a", prefix: "module.",
      found: ["width": "0.03125", "classes": "10"], binaryConvolutions: 31, realLayers: 2),
  ]

  private func source(_ one: Case) throws -> SourceModel {
    try SourceModel(
      checkpointFile: "\(Self.folder)/\(one.file).npz",
      architecture: Architecture(named: one.architecture),
      settings: one.settings.merging(["resolution": "32"]) { given, _ in given })
  }

  @Test(arguments: cases)
  func theFileComputesWhatTheAuthorsCodeDoes(_ one: Case) throws {
    let source = try source(one)
    let converter = try Converter()
    let conversion = try converter.convert(source)
    let model = try BinaryModel(decoding: conversion.model.encoded())
    let images = try NumPy.readArray(Self.folder + "/residual.input.npy")
    let output = try InferenceSession(model).run(["input": images])[0].tensor
    let suffix = one.variant.map { ".\($0)" } ?? ""
    let expected = try NumPy.readArray("\(Self.folder)/\(one.file)\(suffix).output.npy")
    #expect(output.shape == expected.shape)
    #expect(output.distance(to: expected) <= 1e-5)
    let report = try Verifier(
      source: converter.resolveSigns(of: source), canonical: conversion.canonical, model: model
    ).verify(inputs: ["input": images])
    #expect(report.verdict == .match, "\(report.reasons)")
    #expect(report.endToEnd.flips == 0 && report.signZeros == 0)
  }

  @Test(arguments: cases)
  func everyBinaryConvolutionBecomesBinary(_ one: Case) throws {
    let model = try Converter().convert(source(one)).model
    let layers = LayerReport.layers(of: model, summary: try FileSummary(model))
    // A layer of two values that are not ±α also has the sums of its inputs, in a layer beside it.
    let binary = layers.filter { $0.kind == "binary" && !$0.name.hasSuffix(".sum") }
    #expect(binary.count == one.binaryConvolutions)
    #expect(binary.allSatisfy { $0.bitsPerWeight <= 1 })
    #expect(layers.count { $0.kind == "float" } == one.realLayers)
    #expect(layers.allSatisfy { !$0.name.contains("patterns") && !$0.name.contains("tau") })
  }

  @Test(arguments: cases)
  func settingsAreFoundInTheCheckpoint(_ one: Case) throws {
    let use = try #require(source(one).checkpointUse)
    #expect(use.prefix == one.prefix)
    for (name, value) in one.found {
      let setting = try #require(use.settings.first { $0.name == name })
      #expect(setting.value == value && setting.origin == .found)
    }
  }

  /// What a checkpoint holds beside the network, and why it is left out.
  @Test(arguments: [
    ("s2bnn", "module.encoder_q.feature.1.binary_pw.weight", "unused branch"),
    ("s2bnn", "module.encoder_q.feature.1.bn2.running_var", "unused branch"),
    ("s2bnn", "module.encoder_q.feature.3.binary_pw_down2.weight", "unused branch"),
    ("s2bnn", "module.encoder_q.feature.3.bn2_1.bias", "unused branch"),
    ("s2bnn", "module.encoder_q.fc.0.weight", "head"),
    ("s2bnn", "module.encoder_q.fc.2.bias", "head"),
    ("s2bnn", "module.encoder_k.feature.0.conv1.weight", "key encoder"),
    ("s2bnn", "module.encoder_k.fc.0.weight", "key encoder"),
    ("s2bnn", "module.queue", "queue"),
    ("s2bnn", "module.queue_ptr", "queue"),
    ("rbonn-18", "layer2.0.binary_conv.u", "training"),
    ("bireal-18", "module.layer4.3.bn1.num_batches_tracked", "training"),
  ])
  func whatIsLeftOutIsReported(_ file: String, _ array: String, _ reason: String) throws {
    let one = try #require(Self.cases.first { $0.file == file })
    let use = try #require(source(one).checkpointUse)
    let ignored = try #require(use.ignoredArrays.first { $0.name == array })
    #expect(ignored.reason.contains(reason))
    let archive = try NumPy.readArchive("\(Self.folder)/\(file).npz")
    #expect(use.loadedArrays + use.ignoredArrays.count == archive.count)
  }

  /// Other widths than the checkpoint's do not fit, and every array is named.
  @Test func aWidthThatDoesNotFitIsRefused() throws {
    let one = try #require(Self.cases.first)
    var wrong = one
    wrong.settings = ["width": "1"]
    let error = try #require(throws: ImportError.self) { try source(wrong) }
    guard case .parameters(let problems) = error.reason else {
      Issue.record("\(error)")
      return
    }
    #expect(
      problems.contains(
        .shape(name: "module.conv1.weight", found: [3, 3, 7, 7], expected: [64, 3, 7, 7])))
    #expect(problems.count >= 100)
  }

  /// The head of a pretrained network may be left off though the checkpoint has one.
  @Test func aHeadCanBeLeftOff() throws {
    var one = try #require(Self.cases.first { $0.file == "s2bnn-classifier" })
    one.settings = ["head": "none"]
    let source = try source(one)
    let session = try InferenceSession(Converter().convert(source).model)
    let images = try NumPy.readArray(Self.folder + "/residual.input.npy")
    let features = try session.run(["input": images])[0].tensor
    #expect(features.shape == [2, 32])
    let archive = try NumPy.readArchive("\(Self.folder)/s2bnn-classifier.npz")
    let weights = try #require(archive.first { $0.name == "fc.weight" }).tensor.floats
    let bias = try #require(archive.first { $0.name == "fc.bias" }).tensor.floats
    let x = features.floats
    let logits = (0..<20).map { index -> Float in
      let (row, output) = (index / 10, index % 10)
      return (0..<32).reduce(bias[output]) { $0 + x[row * 32 + $1] * weights[output * 32 + $1] }
    }
    let expected = try NumPy.readArray(Self.folder + "/s2bnn-classifier.output.npy")
    #expect(Tensor(logits, shape: [2, 10]).distance(to: expected) <= 1e-5)
  }
}
