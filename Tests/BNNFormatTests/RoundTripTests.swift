import BNNTensor
import BNNTestSupport
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
    #expect(summary.layers.map(\.weights) == [nil, 0, 0])
    #expect(summary.tensors.map(\.coding) == ["raw", "int8", "float16"])
    #expect(summary.tensors.map(\.part) == [.binaryWeights, .thresholds, .vectors])
  }

  @Test func quantizedWeightsTakeAByteEach() throws {
    let summary = try FileSummary(SampleModels.quantized(scales: [1, 2, 3, 4]))
    #expect(summary.layers[0].weightBytes == 24)
    #expect(summary.weights(of: 0)?.elementType == .int8)
    #expect(summary.weights(of: 0)?.part == .int8Weights)
    #expect(summary.weights(of: 0)?.bitsPerElement == 8)
  }

  @Test func summaryAddsUpToTheFile() throws {
    let coded = SampleModels.coded(seed: 30).map(\.model)
    for model in SampleModels.all + [SampleModels.chain] + coded {
      let summary = try FileSummary(model)
      #expect(summary.sections.map(\.bytes).reduce(0, +) == summary.fileBytes)
      #expect(summary.parts.map(\.bytes).reduce(0, +) == summary.fileBytes)
      #expect(try model.encoded().count == summary.fileBytes)
      let layers = summary.layers.map(\.bytes).reduce(0, +)
      #expect(layers + summary.otherBytes == summary.fileBytes)
      // Two counts stand in the sections of layers and tensors.
      let others: [FileSummary.Part] = [.header, .metadata, .values, .padding]
      let other = summary.parts.filter { others.contains($0.part) }.map(\.bytes).reduce(2, +)
      #expect(summary.otherBytes == other)
    }
  }

  @Test func summaryKnowsWhatTensorsAreFor() throws {
    func parts(_ model: BinaryModel) throws -> Set<FileSummary.Part> {
      Set(try FileSummary(model).tensors.map(\.part))
    }
    #expect(
      try parts(SampleModels.layer(.float32([1, 2, 3, 4], shape: [2, 2]))) == [.realWeights])
    let pool = SampleModels.model(
      .binaryPool(SampleModels.half, ceiling: false, inverted: [true, false]),
      inputs: [SampleModels.signs(.batch(1), .fixed(2), .fixed(2), .fixed(2))],
      outputs: [SampleModels.signs(.batch(1), .fixed(1), .fixed(1), .fixed(2))])
    #expect(try parts(pool) == [.flags])
    let constant = SampleModels.array(
      .constant(SampleModels.constants[0]), [],
      SampleModels.reals(.fixed(1), .fixed(3)))
    #expect(try parts(constant) == [.constants])
    let sides = Thresholds<Float>(
      lower: [0, 1, 2], upper: [1, 2, 3], insideIsPlus: [true, false, true])
    let summary = try FileSummary(SampleModels.pointwise(Epilogue(output: .bits(sides))))
    #expect(summary.tensors.map(\.part) == [.thresholds, .thresholds, .thresholds])
  }

  @Test func summaryGivesEntropies() throws {
    var generator = SeededGenerator(seed: 31)
    let kernels = SampleModels.powerLaw(
      [64, 3, 3, 64], exponent: 0, kernels: 16, using: &generator)
    let tensor = try #require(try FileSummary(SampleModels.layer(.signs(kernels))).weights(of: 0))
    #expect(tensor.entropyPerElement > 3.95 / 9 && tensor.entropyPerElement <= 4 / 9)
    #expect(tensor.bitsPerElement >= tensor.entropyPerElement)
    #expect(tensor.coding == "kernels" && tensor.isEntropyCoded)
    #expect(tensor.rawBytes == 64 * 9 * 8 && tensor.elements == 64 * 9 * 64)
  }

  @Test func savingsAreThoseOfRoundedModels() throws {
    var generator = SeededGenerator(seed: 32)
    let numbers = SampleModels.bells(64 * 200, using: &generator)
    func model(_ numbers: [Float]) -> BinaryModel {
      SampleModels.layer(
        .float32(numbers, shape: [64, 200]),
        Epilogue(steps: [.affine(scale: Array(numbers[..<64]), bias: [0])]))
    }
    func tensorBytes(_ model: BinaryModel) throws -> Int {
      try FileSummary(model).tensors.filter { $0.part == .realWeights }.map(\.storedBytes)
        .reduce(0, +)
    }
    let savings = try FileSummary.savings(decoding: model(numbers).encoded()) { _ in nil }
    #expect(savings.map(\.rounding) == FileSummary.Rounding.allCases.dropLast())
    let exact = try tensorBytes(model(numbers))
    let half = try tensorBytes(model(numbers.map { $0.rounded(to: .float16) }))
    #expect(savings[0].bytes == exact - half)
    #expect(savings[2].bytes > savings[0].bytes && savings[2].bytes > exact * 7 / 10)
    #expect(savings[3].bytes > 0 && savings[3].bytes < 200)
    // Nothing to save.
    let none = try FileSummary.savings(decoding: SampleModels.chain.encoded()) { _ in nil }
    #expect(none == [])
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
