import BNNKit
import Foundation
import Testing

/// Binarizing the weights of a really trained float network (`fixtures/float-digits`), with public
/// API only.
@Suite struct BinarizationTests {
  private static let fixtures = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("fixtures").path
  private static let model = fixtures + "/float-digits/model.onnx"

  private static func calibration() throws -> Tensor {
    try NumPy.readArray(fixtures + "/float-digits/calibration.npy")
  }

  /// Images that neither training nor calibration has seen.
  private static func heldOut() throws -> Tensor {
    try NumPy.readArray(fixtures + "/digits/inputs.npy")
  }

  private func converter(
    _ arguments: [String], activations: Bool = false, _ calibration: Tensor? = nil
  ) throws -> Converter {
    try Converter(
      options: ConversionOptions(
        calibration: calibration.map { ["image": $0] } ?? [:],
        binarization: try arguments.map { try BinarizationChoice(argument: $0) },
        binarizesActivations: activations))
  }

  /// ‖difference‖² of a layer's outputs as a part of the real ones', on given inputs.
  private func outputError(
    of layer: String, method: String, fittedOn calibration: Tensor, on images: Tensor
  ) throws -> Double {
    let converter = try converter(["^\(layer)$=\(method)"], calibration)
    var graphs: [Graph] = []
    _ = try converter.convert(SourceModel(onnxFile: Self.model)) { report, graph in
      if ["canonicalize-products", "approximate-weights"].contains(report.pass) {
        graphs.append(graph)
      }
    }
    let outputs = try graphs.map { graph in
      let node = try #require(graph.nodes.first { $0.name == layer })
      let values = try ReferenceExecutor(graph).run(["image": images], keeping: [node.outputs[0]])
      return try #require(values[node.outputs[0]]).floats
    }
    try #require(outputs.count == 2)
    let error = zip(outputs[0], outputs[1]).reduce(0) { sum, pair in
      sum + Double(pair.0 - pair.1) * Double(pair.0 - pair.1)
    }
    return error / outputs[0].reduce(0) { $0 + Double($1) * Double($1) }
  }

  /// Fitted on one set of images, better on another.
  @Test(arguments: ["/conv2/Conv", "/conv3/Conv", "/conv4/Conv", "/fc1/Gemm", "/fc2/Gemm"])
  func searchesBeatScaledSignsOnHeldOutImages(_ layer: String) throws {
    let (calibration, images) = (try Self.calibration(), try Self.heldOut())
    let errors = try ["xnor", "least-squares", "bilinear", "qubo"].map {
      try outputError(of: layer, method: $0, fittedOn: calibration, on: images)
    }
    print("output error of \(layer): xnor, least-squares, bilinear, qubo", errors)
    #expect(errors[3] < 0.9 * errors[0])
    #expect(errors[1] < errors[0] && errors[3] < errors[1] && errors[2] < errors[1])
  }

  private func accuracy(_ conversion: Conversion) throws -> Double {
    let labels = try NumPy.readArray(Self.fixtures + "/digits/labels.npy").integers
    let model = try BinaryModel(decoding: conversion.model.encoded())
    let logits = try InferenceSession(model).run(["image": try Self.heldOut()])[0].tensor
    return Double(zip(logits.topOne, labels).count { Int64($0) == $1 }) / Double(labels.count)
  }

  /// All layers but the first and the last, by every method.
  @Test func accuraciesOfAllMethods() throws {
    let calibration = try Self.calibration()
    for activations in [false, true] {
      var found: [BinarizationMethod: Double] = [:]
      for method in BinarizationMethod.all {
        let needsData = activations || method.needsCalibration
        let conversion = try converter(
          ["conv[234]|fc1=\(method)"], activations: activations, needsData ? calibration : nil
        ).convert(SourceModel(onnxFile: Self.model))
        let accuracy = try accuracy(conversion)
        print("accuracy with \(method)\(activations ? ", binary inputs" : ""): \(accuracy)")
        found[method] = accuracy
        let report = ConversionReport(conversion, summary: try FileSummary(conversion.model))
        #expect(report.binarization.count == 4)
        // With binary inputs it is not the weights' error that is reported.
        if needsData == method.needsCalibration {
          #expect(report.binarization.allSatisfy { $0.after <= $0.before })
        }
        let binary = report.layers.filter { $0.bitsPerWeight <= 1 }
        #expect(binary.count >= 4)
        #expect(!activations || binary.count { $0.kind == "binary" } >= 4)
      }
      let (xnor, qubo) = (try #require(found[.xnor]), try #require(found[.qubo]))
      #expect(qubo > xnor)
      #expect(qubo > (activations ? 0.8 : 0.95))
    }
  }

  @Test func filesRecordTheChoicesAndCanBeReproduced() throws {
    let images = try Self.calibration().rows(0..<64)
    let choices = ["conv[23]=qubo", "conv4", "fc1=residual:2"]
    let conversion = try converter(choices, activations: true, images)
      .convert(SourceModel(onnxFile: Self.model))
    let options = conversion.model.provenance.options
    #expect(
      options.map(\.key) == [
        "binarize-activations", "binarize:/conv2/Conv", "binarize:/conv3/Conv",
        "binarize:/conv4/Conv", "binarize:/fc1/Gemm", "calibration", "sign-of-zero",
      ])
    #expect(
      options.dropFirst().prefix(4).map(\.value) == ["qubo", "qubo", "xnor", "residual:2"])
    let model = try BinaryModel(decoding: conversion.model.encoded())
    var again = try Converter(reproducing: model.provenance)
    again.options.calibration = ["image": images]
    let repeated = try again.convert(SourceModel(onnxFile: Self.model))
    #expect(repeated.canonical == conversion.canonical)
    #expect(try repeated.model.encoded() == conversion.model.encoded())
    // With other data, or none, it would be another network.
    for other in [["image": try Self.calibration().rows(1..<65)], [:]] {
      again.options.calibration = other
      #expect(throws: ConversionError.self) {
        try again.convert(SourceModel(onnxFile: Self.model))
      }
    }
  }

  @Test func verificationChecksTheStoredLayers() throws {
    let source = try SourceModel(onnxFile: Self.model)
    let converter = try converter(["conv[234]=general"])
    let conversion = try converter.convert(source)
    let verifier = Verifier(
      source: try converter.resolveSigns(of: source), canonical: conversion.canonical,
      exact: conversion.exact, model: conversion.model)
    let report = try verifier.verify()
    #expect(report.verdict == .match && report.isLossy)
    #expect(report.endToEnd.maximumError > 0.01)
    // A wrong bit is found all the same.
    var wrong = conversion.model
    let index = try #require(
      wrong.layers.firstIndex {
        if case .convolution(_, weights: .signs, _) = $0.operation { true } else { false }
      })
    guard
      case .convolution(let geometry, .signs(var signs), let epilogue) =
        wrong.layers[index].operation
    else { return }
    signs[5] = !signs[5]
    wrong.layers[index].operation = .convolution(geometry, weights: .signs(signs), epilogue)
    let damaged = try Verifier(
      source: verifier.source, canonical: conversion.canonical, model: wrong
    ).verify()
    #expect(damaged.verdict == .mismatch)
  }

  @Test func errorsSayWhatToDo() throws {
    func message(_ converter: Converter) throws -> String {
      do {
        _ = try converter.convert(SourceModel(onnxFile: Self.model))
        Issue.record("converted")
        return ""
      } catch let error as ConversionError {
        return "\(error)"
      }
    }
    #expect(try message(try converter(["conv2=qubo"])).contains("--calibration"))
    #expect(try message(try converter(["conv2"], activations: true)).contains("--calibration"))
    let unmatched = try message(try converter(["conv2", "block=qubi"]))
    #expect(unmatched.contains("'block=qubi'") && unmatched.contains("'/conv3/Conv'"))
    #expect(unmatched.contains("residual:2"))
    let wrong = Tensor([Float](repeating: 0, count: 4), shape: [1, 4])
    #expect(try message(try converter(["conv2=qubo"], wrong)).contains("--calibration"))
  }

  /// Nothing of it is in files that were made without.
  @Test func nothingChangesWithoutChoices() throws {
    let plain = try Converter(options: ConversionOptions(allowsFloat: true))
    #expect(plain.pipeline.index(of: "approximate-weights") == nil)
    let conversion = try plain.convert(SourceModel(onnxFile: Self.model))
    #expect(conversion.model.provenance.options.map(\.key) == ["sign-of-zero"])
    #expect(!conversion.model.provenance.passes.contains("approximate-weights"))
  }

  /// Layers that are binary already are no reason to record anything.
  @Test func whatWasNotDoneIsNotRecorded() throws {
    let digits = Self.fixtures + "/digits/model.onnx"
    let conversion = try converter(["conv2"]).convert(SourceModel(onnxFile: digits))
    let plain = try Converter().convert(SourceModel(onnxFile: digits))
    #expect(try conversion.model.encoded() == plain.model.encoded())
    #expect(
      ConversionReport(conversion, summary: try FileSummary(conversion.model)).notes
        .contains { $0.contains("binary already") })
  }

  @Test func optionsOfLaterVersionsAreRefused() throws {
    let provenance = Provenance(
      producer: "later", sourceName: "m.onnx", sourceBytes: 1, passes: [],
      options: [.init(key: "binarize:conv", value: "unheard-of")])
    #expect(throws: PassError.self) { try Converter(reproducing: provenance) }
  }
}
