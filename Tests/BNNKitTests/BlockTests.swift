import BNNKit
import Testing

/// Every block of published architectures, as PyTorch exports it: converted with default options,
/// written, read, run and verified. All that is binary in the source is binary in the file.
struct BlockTests {
  @Test(arguments: try RecordedBlock.all())
  func blockConverts(_ block: RecordedBlock) throws {
    let source = try SourceModel(onnxFile: block.path)
    let converter = try Converter()
    let conversion = try converter.convert(source)
    let model = try BinaryModel(decoding: conversion.model.encoded())
    let inputs = try block.inputs(of: source.graph)
    let expected = try block.expected(of: source.graph)
    #expect(expected.count == block.outputs)

    let verifier = Verifier(
      source: try converter.resolveSigns(of: source), canonical: conversion.canonical, model: model)
    let recorded = try verifier.verify(inputs: inputs, expected: expected)
    #expect(recorded.signZeros == 0, "one bit cannot reproduce a recorded Sign(0)")
    for report in [recorded, try verifier.verify()] {
      #expect(report.verdict == .match, "\(report)")
      #expect(report.layers.allSatisfy { $0.mismatches == 0 }, "\(report)")
    }
    for output in try InferenceSession(model).run(inputs) {
      let recorded = try #require(expected[output.name])
      #expect(output.tensor.shape == recorded.shape)
      #expect(output.tensor.distance(to: recorded) <= 1e-4)
    }
    let reasons = conversion.findings.filter { if case .keptFloat = $0 { true } else { false } }
    #expect(model.binaryProducts == block.binary, "\(reasons)")
    #expect(model.realProducts == block.real, "\(reasons)")
  }

  @Test func bothExportersAndManyOpsetsAreThere() throws {
    let blocks = try RecordedBlock.all()
    #expect(Set(blocks.map(\.network)).count >= 70)
    let exporters = Set(blocks.compactMap { $0.name.split(separator: "-").last })
    #expect(exporters.count { $0.hasPrefix("legacy") } >= 4)
    #expect(exporters.count { $0.hasPrefix("dynamo") } >= 3)
  }
}

extension BinaryModel {
  fileprivate var binaryProducts: Int {
    layers.count { if case .binaryConvolution = $0.operation { true } else { false } }
  }

  /// Products with real weights, or of computed values.
  fileprivate var realProducts: Int {
    layers.count { layer in
      switch layer.operation {
      case .convolution, .array(.matrixProduct), .array(.convolution),
        .array(.transposedConvolution):
        true
      default: false
      }
    }
  }
}
