import BNNTensor
import Testing

@testable import BNNFormat

@Suite struct RoundTripTests {
  @Test(arguments: SampleModels.all.indices)
  func everyOperationSurvives(index: Int) throws {
    let model = SampleModels.all[index]
    let bytes = try model.encoded()
    let decoded = try BinaryModel(decoding: bytes)
    #expect(decoded == model)
    #expect(try decoded.encoded() == bytes)
  }

  @Test func chainSurvives() throws {
    let bytes = try SampleModels.chain.encoded()
    #expect(try BinaryModel(decoding: bytes) == SampleModels.chain)
  }

  @Test func nanParametersSurviveBitForBit() throws {
    let nan = Float(bitPattern: 0x7FC1_2345)
    let model = SampleModels.pointwise(Epilogue(steps: [.affine(scale: [nan, 1, 2], bias: [nan])]))
    let bytes = try model.encoded()
    #expect(try BinaryModel(decoding: bytes).encoded() == bytes)
  }

  @Test func equalTensorsAreStoredOnce() throws {
    let summary = try FileSummary(SampleModels.chain)
    #expect(summary.layers.map(\.weightBytes) == [0, 8, 0])
    // Eight integers of a byte, and eight float16 of which one plane is all zeros.
    #expect(summary.layers.map(\.parameterBytes) == [0, 9, 11])
    #expect(summary.layers.map(\.coding) == [nil, "raw", "raw"])
  }

  @Test func quantizedWeightsTakeAByteEach() throws {
    let layer = try FileSummary(SampleModels.quantized(scales: [1, 2, 3, 4])).layers[0]
    #expect(layer.weightBytes == 24)
    #expect(layer.coding == "int8")
  }

  @Test func summaryAddsUpToTheFile() throws {
    for model in SampleModels.all + [SampleModels.chain] {
      let summary = try FileSummary(model)
      #expect(summary.sections.map(\.bytes).reduce(0, +) == summary.fileBytes)
      #expect(try model.encoded().count == summary.fileBytes)
    }
  }

  /// Many layers, names as long as exporters make them: the promise on size holds.
  @Test func overheadStaysSmall() throws {
    let shape: [Dimension] = [.batch(1), .fixed(8), .fixed(8), .fixed(128)]
    var model = BinaryModel(
      provenance: SampleModels.provenance,
      values: [ModelValue(name: "x", elementType: .sign, dimensions: shape)], inputs: [0],
      outputs: [24], layers: [])
    for index in 0..<24 {
      let name = index == 23 ? "y" : ""
      model.values.append(ModelValue(name: name, elementType: .sign, dimensions: shape))
      let bounds = Thresholds<Int32>(
        lower: (0..<128).map { Int32($0 * index) }, upper: .init(repeating: .max, count: 128),
        insideIsPlus: .init(repeating: true, count: 128))
      let weights = PackedTensor(shape: [128, 3, 3, 128]) {
        (($0 + 4096 * index) &* 2_654_435_761) >> 20 & 1 == 1
      }
      model.layers.append(
        Layer(
          name: "/features/features.\(index)/conv/Conv",
          operation: .binaryConvolution(
            .init(window: SampleModels.window), weights: weights,
            Epilogue(output: .accumulatorBits(bounds))), inputs: [index], outputs: [index + 1]))
    }
    let payload = 24 * (128 * 9 * 128 / 8 + 4 * 128)
    #expect(try model.encoded().count <= payload + payload / 100 + 4096)
    let raw = try FileSummary(decoding: model.encoded([.raw]))
    #expect(raw.fileBytes <= payload + payload / 100 + 4096)
    #expect(raw.layers.map(\.bytes).reduce(0, +) >= payload)
  }

  @Test func checksumIsCastagnolis() {
    #expect(Checksum.crc32c(Array("123456789".utf8)[...]) == 0xE306_9283)
    #expect(Checksum.crc32c([]) == 0)
    #expect(Checksum.crc32c([UInt8](repeating: 0, count: 32)[...]) == 0x8A91_36AA)
    #expect(Checksum.crc32c([UInt8](0..<32)[...]) == 0x46DD_794E)
  }
}
