import BNNKit
import Foundation
import Testing

/// `FloatStorage.int8Compute` with public API only.
@Suite struct Int8StorageTests {
  private static let digits = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("fixtures/digits").path

  private func converted(_ calibration: [String: Tensor]) throws -> Conversion {
    let options = ConversionOptions(storage: .init(weights: .int8Compute), calibration: calibration)
    return try Converter(options: options).convert(
      SourceModel(onnxFile: Self.digits + "/model.onnx"))
  }

  @Test func realLayersBecomeBytesAndTheNetworkStaysAsGood() throws {
    let images = try NumPy.readArray(Self.digits + "/inputs.npy")
    let labels = try NumPy.readArray(Self.digits + "/labels.npy").integers
    let conversion = try converted(["image": images.rows(0..<50)])
    #expect(conversion.unquantized.isEmpty)
    #expect(
      conversion.model.provenance.options.map(\.key) == ["float-storage", "sign-of-zero"])
    #expect(conversion.model.provenance.options[0].value == "int8-compute")
    let model = try BinaryModel(decoding: conversion.model.encoded())
    let report = ConversionReport(conversion, summary: try FileSummary(model))
    let real = report.layers.filter { $0.kind == "float" }
    #expect(real.map(\.coding) == ["int8", "int8"])
    #expect(real.allSatisfy { $0.bitsPerWeight > 5 && $0.bitsPerWeight <= 8 })
    #expect(real.allSatisfy { $0.reason != nil && $0.floatMACs > 0 })
    let logits = try InferenceSession(model).run(["image": images])[0].tensor
    let correct = zip(logits.topOne, labels).count { Int64($0) == $1 }
    #expect(correct * 100 >= labels.count * 97)
  }

  /// A later conversion gives the same bytes, on any number of inputs at a time.
  @Test func calibrationIsRepeatable() throws {
    let images = try NumPy.readArray(Self.digits + "/inputs.npy").rows(0..<20)
    let first = try converted(["image": images]).model.encoded()
    #expect(try converted(["image": images]).model.encoded() == first)
  }

  @Test func withoutCalibrationTheOpenLayersAreNamed() throws {
    do {
      _ = try converted([:])
      Issue.record("converted")
    } catch let error as ConversionError {
      // The classifier reads signs: their range is known.
      #expect(
        error
          == .calibrationMissing(
            file: Self.digits + "/model.onnx", layers: ["/conv1/Conv"]))
      #expect("\(error)".contains("--calibration"))
    }
    let wrong = Tensor([Float](repeating: 0, count: 4), shape: [1, 4])
    #expect(throws: ConversionError.self) { try converted(["image": wrong]) }
    #expect(throws: ConversionError.self) { try converted(["picture": wrong]) }
  }

  @Test func aConverterThatReproducesAFileGivesItsGraph() throws {
    let images = try NumPy.readArray(Self.digits + "/inputs.npy").rows(0..<4)
    let conversion = try converted(["image": images])
    let again = try Converter(reproducing: conversion.model.provenance).convert(
      SourceModel(onnxFile: Self.digits + "/model.onnx"))
    #expect(again.canonical == conversion.canonical)
  }
}
