import BNNKit
import Foundation
import Testing

/// What a user of the library does, with public API only.
struct LibraryUserTests {
  /// A pass of the user's: logits times a factor, as a calibrated temperature would be.
  struct ScaleLogits: Pass {
    let name = "scale-logits"
    let summary = "Divides the outputs by a temperature."
    var temperature: Float

    func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
      var outcome = PassOutcome()
      let factor = graph.addConstant(Tensor(scalar: 1 / temperature), name: "temperature")
      for output in graph.outputs {
        let product = ElementwiseBinary(kind: .multiply)
        let scaled = graph.add(
          .elementwiseBinary(product), name: graph[output].name + ".scaled",
          inputs: [output, factor])
        graph.outputs = graph.outputs.map { $0 == output ? scaled : $0 }
        outcome.rewrites.append(Rewrite(node: graph[output].name, change: "scaled"))
      }
      return outcome
    }
  }

  private static let digits = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("fixtures/digits").path

  @Test func convertWriteReadAndRun() throws {
    let source = try SourceModel(onnxFile: Self.digits + "/model.onnx")
    let conversion = try Converter().convert(source)
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("\(UUID().uuidString).bnn").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    try conversion.model.write(toFile: file, overwriting: false)
    let session = try InferenceSession(BinaryModel(contentsOfFile: file))
    let images = try NumPy.readArray(Self.digits + "/inputs.npy")
    let labels = try NumPy.readArray(Self.digits + "/labels.npy").integers
    let name = source.graph[source.graph.inputs[0]].name
    let logits = try session.run([name: images])[0].tensor
    let correct = zip(logits.topOne, labels).count { Int64($0) == $1 }
    #expect(correct * 100 >= labels.count * 97)
    #expect(logits.distance(to: try NumPy.readArray(Self.digits + "/expected.npy")) <= 1e-4)
    let report = ConversionReport(conversion, summary: try FileSummary(conversion.model))
    #expect(report.outputBytes * 10 < report.sourceBytes)
    #expect(report.layers.contains { $0.kind == "binary" && $0.bitsPerWeight <= 1 })
    #expect(report.layers.allSatisfy { $0.kind == "binary" || $0.reason != nil })
  }

  @Test func addAPassOfOnesOwn() throws {
    let source = try SourceModel(onnxFile: Self.digits + "/model.onnx")
    let plain = try Converter().convert(source)
    var converter = try Converter()
    try converter.pipeline.insert(ScaleLogits(temperature: 2), before: "canonicalize-products")
    let scaled = try converter.convert(source)
    #expect(scaled.passReports.first { $0.pass == "scale-logits" }?.outcome.rewrites.count == 1)
    #expect(scaled.model.provenance.passes.contains("scale-logits"))
    let images = try NumPy.readArray(Self.digits + "/inputs.npy").rows(0..<8)
    let name = source.graph[source.graph.inputs[0]].name
    let before = try InferenceSession(plain.model).run([name: images])[0].tensor
    let after = try InferenceSession(scaled.model).run([name: images])[0].tensor
    let halves = Tensor(before.floats.map { $0 / 2 }, shape: before.shape)
    #expect(after.distance(to: halves) < 1e-6)
  }

  /// The README's example.
  @Test func aCheckpointBecomesAVerifiedFile() throws {
    let folder = Self.digits + "/../checkpoints"
    let source = try SourceModel(
      checkpointFile: folder + "/reactnet-18.npz", architecture: Architecture(named: "reactnet-18"),
      settings: ["classes": "10", "resolution": "32"])
    let converter = try Converter()
    let conversion = try converter.convert(source)
    let report = try Verifier(
      source: converter.resolveSigns(of: source), canonical: conversion.canonical,
      model: conversion.model
    ).verify()
    #expect(report.verdict == .match)
    let name = source.graph[source.graph.inputs[0]].name
    let images = try NumPy.readArray(folder + "/residual.input.npy")
    let logits = try InferenceSession(conversion.model).run([name: images])[0].tensor
    let expected = try NumPy.readArray(folder + "/reactnet-18.output.npy")
    #expect(logits.distance(to: expected) <= 1e-5)
  }

  @Test func aModelWithoutBinaryLayersIsRefusedWithReasons() throws {
    var graph = Graph(name: "float")
    let x = graph.addInput(name: "x", type: ValueType(.float32, [.batch(1), .fixed(3)]))
    let w = graph.addConstant(Tensor([Float(1), 2, 3, 4, 5, 6], shape: [2, 3]), name: "w")
    graph.outputs = [graph.add(.gemm(Gemm(transposeB: true)), name: "fc", inputs: [x, w])]
    let source = SourceModel(graph: graph, fileName: "float.onnx", byteCount: 100, format: .onnx)
    let error = #expect(throws: ConversionError.self) { try Converter().convert(source) }
    guard case .nothingBinary(_, let reasons) = error else { return }
    #expect(reasons.map(\.node) == ["fc"])
    let allowed = try Converter(options: .init(allowsFloat: true)).convert(source)
    let output = try InferenceSession(allowed.model).run([
      "x": Tensor([Float(1), 1, 1], shape: [1, 3])
    ])
    #expect(output[0].tensor.floats == [6, 15])
  }

  @Test func outputsMayBeSigns() throws {
    var graph = Graph(name: "signs")
    let x = graph.addInput(name: "x", type: ValueType(.float32, [.batch(1), .fixed(2), .fixed(3)]))
    let sign = graph.add(
      .elementwiseUnary(ElementwiseUnary(function: .sign)), name: "sign", inputs: [x])
    graph.outputs = [sign]
    let source = SourceModel(graph: graph, fileName: "signs.onnx", byteCount: 1, format: .onnx)
    let conversion = try Converter(options: .init(allowsFloat: true)).convert(source)
    let input = Tensor([Float(1), -1, 0, 2, -0.5, -3], shape: [1, 2, 3])
    let outputs = try InferenceSession(conversion.model).run(["x": input])
    #expect(outputs.map(\.tensor.floats) == [[1, -1, 1, 1, -1, -1]])
  }

  @Test func aConverterIsReproducedFromAFile() throws {
    let source = try SourceModel(onnxFile: Self.digits + "/model.onnx")
    let options = ConversionOptions(signOfZero: .minus, disabledPasses: ["fold-thresholds"])
    let conversion = try Converter(options: options).convert(source)
    let again = try Converter(reproducing: conversion.model.provenance).convert(source)
    #expect(again.model == conversion.model)
    var unknown = conversion.model.provenance
    unknown.passes.append("of-another-time")
    #expect(throws: PassError.self) { try Converter(reproducing: unknown) }
  }
}
