import BNNKit
import Testing

/// Checkpoints of gated, grouped and linked networks through the shipped descriptions, against what
/// PyTorch gave (`fixtures/scripts/make_checkpoints_gated.py`).
struct GatedCheckpointTests {
  @Test(arguments: GatedCheckpoint.all)
  func aCheckpointComputesWhatItsNetworkComputes(_ checkpoint: GatedCheckpoint) throws {
    let source = try checkpoint.source()
    let converter = try Converter()
    let conversion = try converter.convert(source)
    let model = try BinaryModel(decoding: conversion.model.encoded())
    let images = [source.graph[source.graph.inputs[0]].name: try checkpoint.images()]
    let expected = try checkpoint.expected()

    let output = try InferenceSession(model).run(images)[0].tensor
    #expect(output.shape == expected.shape)
    #expect(output.distance(to: expected) <= 1e-5)

    let verifier = Verifier(
      source: try converter.resolveSigns(of: source), canonical: conversion.canonical,
      model: model)
    let report = try verifier.verify(
      inputs: images, expected: [source.graph[source.graph.outputs[0]].name: expected])
    #expect(report.verdict == .match, "\(report.reasons)")

    let layers = LayerReport.layers(of: model, summary: try FileSummary(model))
    #expect(layers.count { $0.kind == "binary" } == checkpoint.binaryLayers)
    #expect(layers.count { $0.kind == "float" } == checkpoint.floatLayers)
  }

  @Test func whatIsNotPartOfTheNetworkIsReported() throws {
    let checkpoint = try #require(GatedCheckpoint.all.first { $0.file == "fracbnn-imagenet" })
    let use = try #require(try checkpoint.source().checkpointUse)
    #expect(use.prefix == "module.")
    let ignored = Dictionary(uniqueKeysWithValues: use.ignoredArrays.map { ($0.name, $0.reason) })
    #expect(ignored["module.encoder.placeholder"]?.contains("thermometer") == true)
    #expect(ignored["module.teacher.fc.weight"]?.contains("teacher") == true)
    #expect(ignored["module.teacher.conv1.weight"]?.contains("teacher") == true)
    let counters = ignored.filter { $0.key.hasSuffix("num_batches_tracked") }
    #expect(ignored.count == counters.count + 4)
    let found = Dictionary(uniqueKeysWithValues: use.settings.map { ($0.name, $0.value) })
    #expect(found["width"] == "0.0625" && found["classes"] == "10" && found["resolution"] == "64")
  }

  @Test func aReadingThatTheNamesDoNotTellIsTheDefault() throws {
    // The 1x1 convolutions of the shortcuts may be real or binary: the outputs differ.
    var checkpoint = try #require(GatedCheckpoint.all.first { $0.file == "ftbnn-binary" })
    checkpoint.settings["downsample"] = nil
    let source = try checkpoint.source()
    let setting = source.checkpointUse?.settings.first { $0.name == "downsample" }
    #expect(setting?.value == "real" && setting?.origin == .assumed)
    let output = try #require(
      try source.graph.run([source.graph[source.graph.inputs[0]].name: checkpoint.images()]))
    #expect(output.distance(to: try checkpoint.expected()) > 0.01)
  }

  @Test(arguments: Architecture.names)
  func aDescriptionListsItsParameters(_ name: String) throws {
    let architecture = try Architecture(named: name)
    #expect(!architecture.summary.isEmpty)
    let settings = architecture.settings.map(\.name)
    #expect(settings.contains("width") && settings.contains("classes"))
    let parameters = try architecture.parameters()
    #expect(parameters.allSatisfy { $0.shape != nil })
    // The list goes to the end: the last one is the classifier's.
    let narrow = try architecture.parameters(settings: ["classes": "7"])
    #expect(narrow.suffix(5).contains { $0.shape?.contains(7) == true })
    #expect(narrow.count == parameters.count)
  }
}

extension Graph {
  fileprivate func run(_ inputs: [String: Tensor]) throws -> Tensor? {
    try ReferenceExecutor(self).run(inputs)[outputs[0]]
  }
}
