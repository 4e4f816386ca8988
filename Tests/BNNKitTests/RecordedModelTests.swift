import BNNKit
import Testing

/// Really trained and really exported networks, through file and runtime, against recorded outputs.
@Suite(.enabled(if: Models.isPresent, "BNN_MODELS is not set"))
struct RecordedModelTests {
  static let digits = [
    "digits_mlp-leg13", "digits_mlp-leg9-folded", "digits_mlp-dyn_default", "digits_cnn-leg9",
    "digits_cnn-leg11", "digits_cnn-leg17-folded", "digits_cnn-dyn18", "digits_bireal-leg13",
    "digits_bireal-dyn18", "digits_bireal-leg13-onnxsim", "digits_bireal_pad1-leg11",
    "digits_ftbnn-leg13", "digits_ftbnn-dyn20",
  ]
  static let real = ["real/pynq-lfc-mnist", "real/pynq-cnv-cifar10", "real/finn-tfc-mnist"]

  /// Through the bytes of a file.
  private func session(_ source: SourceModel) throws -> InferenceSession {
    let conversion = try Converter().convert(source)
    return try InferenceSession(BinaryModel(decoding: conversion.model.encoded()), threads: 2)
  }

  @Test(arguments: digits + real)
  func theRuntimeReproducesTheRecordedOutputs(_ name: String) throws {
    let recorded = try Models.Recorded(name)
    let output = try session(recorded.source).run([recorded.inputName: recorded.input])[0].tensor
    #expect(output.shape == recorded.expected.shape)
    #expect(output.topOne == recorded.expected.topOne)
    #expect(output.distance(to: recorded.expected) <= 1e-4)
    if name == "real/pynq-cnv-cifar10" { #expect(output.floats == recorded.expected.floats) }
  }

  @Test(arguments: digits + real)
  func theReferenceReproducesTheRecordedOutputs(_ name: String) throws {
    let recorded = try Models.Recorded(name)
    let graph = recorded.source.graph
    let outputs = try ReferenceExecutor(graph).run([recorded.inputName: recorded.input])
    let output = try #require(outputs[graph.outputs[0]])
    #expect(output.topOne == recorded.expected.topOne)
    #expect(output.distance(to: recorded.expected) <= 1e-4)
  }

  @Test(arguments: digits)
  func theAccuracyIsTheRecordedOne(_ name: String) throws {
    let recorded = try Models.Recorded(name)
    let session = try session(recorded.source)
    let images = try NumPy.readArray(Models.path("zoo/x_test.npy"))
    let labels = try NumPy.readArray(Models.path("zoo/y_test.npy")).integers
    let type = recorded.source.graph[recorded.source.graph.inputs[0]].type
    let slice = type?.fixedShape?[0] ?? images.shape[0]
    let output = try session.run(images, name: recorded.inputName, slice: slice)
    let correct = zip(output.topOne, labels).count { Int64($0) == $1 }
    let accuracy = try Models.recordedAccuracy(of: name)
    #expect(correct == Int((accuracy * Double(labels.count)).rounded()))
  }

  /// The accelerator's rule: the highest class whose logit is positive, else class 0.
  @Test func mnistIsRecognizedAsRecorded() throws {
    let recorded = try Models.Recorded("real/pynq-lfc-mnist")
    let archive = try NumPy.readArchive(Models.path("real/pynq-lfc-mnist/testset.npz"))
    let bits = try #require(archive.first { $0.name == "images_bits" }).tensor
    let labels = try #require(archive.first { $0.name == "labels" }).tensor.integers
    let bytes = bits.integers
    var pixels: [Float] = []
    for image in labels.indices {
      for pixel in 0..<784 {
        let byte = bytes[image * 98 + pixel / 8]
        pixels.append((byte >> Int64(pixel % 8)) & 1 == 1 ? 1 : -1)
      }
    }
    let input = Tensor(pixels, shape: [labels.count, 1, 28, 28])
    let output = try session(recorded.source).run([recorded.inputName: input])[0].tensor
    let logits = output.floats
    let correct = labels.indices.count { image -> Bool in
      let row = logits[image * 10..<image * 10 + 10]
      let last = row.lastIndex { $0 > 0 } ?? row.startIndex
      return Int64(last - row.startIndex) == labels[image]
    }
    #expect(correct == 9840)
  }

  @Test func grouplessAndGroupedLayersAreBinaryWhereTheSourceIs() throws {
    // Six grouped and dense binary convolutions; the stem and the classifier are real-valued.
    let recorded = try Models.Recorded("digits_ftbnn-leg13")
    let model = try Converter().convert(recorded.source).model
    let summary = try FileSummary(model)
    let kinds = LayerReport.layers(of: model, summary: summary).map(\.kind)
    #expect(kinds.count { $0 == "binary" } == 6 && kinds.count { $0 == "float" } == 2)
  }

  @Test func conversionIsDeterministic() throws {
    for name in ["digits_bireal-leg13", "digits_ftbnn-dyn20"] {
      let first = try Converter().convert(Models.Recorded(name).source).model.encoded()
      let second = try Converter().convert(Models.Recorded(name).source).model.encoded()
      #expect(first == second)
    }
  }
}
