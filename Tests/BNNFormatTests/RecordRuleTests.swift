import BNNTensor
import Testing

@testable import BNNFormat

/// Sections whose checksums hold and whose records are wrong. Tensors are raw, so that changed bytes
/// are changed elements.
@Suite struct RecordRuleTests {
  private func rule(
    _ section: FileSection, of model: BinaryModel = SampleModels.chain,
    _ edit: (inout [UInt8]) -> Void
  ) throws -> FormatError.Rule? {
    let bytes = FileSurgery.section(section, of: try model.encoded([.raw]), edit)
    do {
      _ = try BinaryModel(decoding: bytes)
      return nil
    } catch {
      return error.rule
    }
  }

  private func written(_ write: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter()
    write(&writer)
    return writer.bytes
  }

  /// The tensor table of one tensor after another.
  private func table(_ tensors: [(kind: UInt8, coding: UInt8, place: UInt8, [Int], bytes: Int)])
    -> [UInt8]
  {
    written {
      $0.integer(tensors.count)
      for (kind, coding, place, dimensions, bytes) in tensors {
        $0.raw([kind, coding, place])
        $0.integers(dimensions)
        $0.integer(bytes)
      }
    }
  }

  @Test func everySectionEndsWithItsRecords() throws {
    for section in FileSection.required {
      #expect(
        try rule(section) { $0.append(0) } == .bytesAfterRecords(count: 1), "\(section)")
    }
  }

  @Test func everyShortenedSectionIsNoticed() throws {
    for section in FileSection.required {
      let length = FileSurgery.sections(try SampleModels.chain.encoded([.raw]))
        .first { $0.kind == section.rawValue }?.bytes.count
      for kept in 0..<(try #require(length)) {
        let broken = try rule(section) { $0 = Array($0[..<kept]) }
        #expect(broken != nil, "\(section) cut to \(kept)")
      }
    }
  }

  @Test func integers() throws {
    #expect(
      try rule(.values) { $0.replaceSubrange(0..<1, with: [0x84, 0]) } == .integerNotShortest)
    let top = [UInt8](repeating: 0xFF, count: 8) + [0x7F]
    #expect(try rule(.values) { $0.replaceSubrange(0..<1, with: top) } == .integerTooLarge)
    let long = [UInt8](repeating: 0x80, count: 20)
    #expect(try rule(.values) { $0.replaceSubrange(0..<1, with: long) } == .integerTooLarge)
    #expect(try rule(.values) { $0 = [0x84] } == .recordIncomplete)
  }

  @Test func hugeCountsReserveNothing() throws {
    let many = written { $0.integer(1 << 40) }
    for section in [FileSection.values, .layers, .tensors] {
      var room = 0
      let broken = try rule(section) {
        $0.replaceSubrange(0..<1, with: many)
        room = $0.count - many.count
      }
      #expect(broken == .count(found: 1 << 40, room: room))
    }
  }

  @Test func strings() throws {
    #expect(try rule(.metadata) { $0[1] = 0xFF } == .notUTF8)
    #expect(try rule(.metadata) { $0[1] = 0 } == .controlCharacter)
    #expect(try rule(.metadata) { $0[1] = 0x7F } == .controlCharacter)
    let long = written { $0.string(String(repeating: "x", count: 4097)) }
    #expect(
      try rule(.metadata) { $0.replaceSubrange(0..<8, with: long) } == .stringTooLong(bytes: 4097))
    #expect(
      try rule(.metadata) { $0[0] = 0x7F } == .count(found: 127, room: metadataLength() - 1))
  }

  private func metadataLength() throws -> Int {
    FileSurgery.sections(try SampleModels.chain.encoded([.raw]))[0].bytes.count
  }

  @Test func codes() throws {
    // The first value's type follows its count, name length and name "x".
    #expect(try rule(.values) { $0[3] = 6 } == .unknownCode(.elementType, value: 6))
    // The first layer: count, name of 4, one input, one output, operation, steps, output, bounds.
    let operation = 10
    for (offset, field) in [
      (operation, FormatError.CodedField.operation), (operation + 2, .outputKind),
      (operation + 3, .thresholdForm), (operation + 4, .listForm),
    ] {
      #expect(try rule(.layers) { $0[offset] = 200 } == .unknownCode(field, value: 200))
    }
    let clamp = SampleModels.pointwise(Epilogue(steps: [.clamp(lower: 0, upper: 1)]))
    #expect(try rule(.layers, of: clamp) { $0[13] = 9 } == .unknownCode(.step, value: 9))
    let function = SampleModels.pointwise(Epilogue(steps: [.function(.relu)]))
    #expect(try rule(.layers, of: function) { $0[14] = 99 } == .unknownCode(.function, value: 99))
    let gelu = SampleModels.pointwise(
      Epilogue(steps: [.function(.gelu(tanhApproximation: false))]))
    #expect(try rule(.layers, of: gelu) { $0[15] = 2 } == .unknownCode(.flag, value: 2))
  }

  @Test func codesOfWindows() throws {
    let convolution = SampleModels.binaryConvolution(Epilogue())
    // Count, name, input, output, operation, rank, two axes of five, groups, padding.
    #expect(try rule(.layers, of: convolution) { $0[24] = 3 } == .unknownCode(.padding, value: 3))
    let pool = SampleModels.model(
      .pool(.maximum, SampleModels.half, ceiling: false, Epilogue()),
      inputs: [SampleModels.reals(.batch(1), .fixed(2), .fixed(2), .fixed(1))],
      outputs: [SampleModels.reals(.batch(1), .fixed(1), .fixed(1), .fixed(1))])
    #expect(try rule(.layers, of: pool) { $0[12] = 3 } == .unknownCode(.poolKind, value: 3))
    #expect(try rule(.layers, of: pool) { $0[24] = 2 } == .unknownCode(.flag, value: 2))
    let reduce = SampleModels.model(
      .reduce(.mean, axes: [1], keepDimensions: true),
      inputs: [SampleModels.reals(.batch(1), .fixed(2))],
      outputs: [SampleModels.reals(.batch(1), .fixed(1))])
    #expect(try rule(.layers, of: reduce) { $0[12] = 10 } == .unknownCode(.reduceKind, value: 10))
  }

  @Test func tensorTable() throws {
    let good: [(UInt8, UInt8, UInt8, [Int], Int)] = [
      (2, 0, 1, [8, 8], 8), (3, 0, 0, [8], 32), (1, 0, 0, [8], 32),
    ]
    func rule(_ edit: (inout [(UInt8, UInt8, UInt8, [Int], Int)]) -> Void) throws
      -> FormatError.Rule?
    {
      var tensors = good
      edit(&tensors)
      let bytes = table(tensors.map { (kind: $0.0, coding: $0.1, place: $0.2, $0.3, bytes: $0.4) })
      return try self.rule(.tensors) { $0 = bytes }
    }
    #expect(try rule { _ in } == nil)
    #expect(try rule { $0[0].0 = 9 } == .unknownCode(.elementType, value: 9))
    #expect(try rule { $0[0].1 = 10 } == .unknownCode(.coding, value: 10))
    #expect(try rule { $0[0].2 = 2 } == .unknownCode(.place, value: 2))
    #expect(try rule { $0[0].3 = .init(repeating: 1, count: 9) } == .tensorRank(9))
    #expect(try rule { $0[0].3 = [8, 0] } == .tensorBytes(expected: 0, found: 8))
    #expect(try rule { $0[0].3 = [1 << 61, 1 << 61] } == .tensorDimensions([1 << 61, 1 << 61]))
    #expect(try rule { $0[0].3 = [1 << 40] } == .tensorDimensions([1 << 40]))
    #expect(try rule { $0[0].4 = 9 } == .tensorBytes(expected: 8, found: 9))
    #expect(
      try rule {
        $0[0].3 = [1 << 20, 8]
        $0[0].4 = 1 << 20
      } == .tensorOutOfSection)
    #expect(try rule { $0[1].0 = 1 } == .tensorKind(expected: .int32, found: .float32))
    #expect(try rule { $0[0].3 = [64] } == .tensorKind(expected: .float32, found: .sign))
    #expect(try rule { $0.swapAt(1, 2) } == .tensorKind(expected: .int32, found: .float32))
    #expect(try rule { $0.removeLast() } == .bytesAfterRecords(count: 32))
  }

  @Test func bytesAreOnlyWeights() throws {
    let model = SampleModels.quantized(scales: [1])
    let bytes = (kind: UInt8(6), coding: UInt8(0), place: UInt8(1), [4, 2, 3], bytes: 24)
    let list = (kind: UInt8(1), coding: UInt8(0), place: UInt8(0), [4], bytes: 16)
    func rule(_ first: (kind: UInt8, coding: UInt8, place: UInt8, [Int], bytes: Int)) throws
      -> FormatError.Rule?
    {
      let bytes = table([first, list])
      return try self.rule(.tensors, of: model) { $0 = bytes }
    }
    #expect(try rule(bytes) == nil)
    #expect(
      try rule((2, 0, 1, [4, 2, 24], 24)) == .tensorKind(expected: .int8, found: .sign))
    #expect(try rule((6, 0, 1, [24], 24)) == .tensorKind(expected: .int8, found: .int8))
    #expect(try rule((6, 0, 1, [4, 2, 4], 24)) == .tensorBytes(expected: 32, found: 24))
    #expect(try self.rule(.weights, of: model) { $0[0] = 0x80 } == .weightOutOfRange)
    // No value is of bytes, no other weights are.
    #expect(
      try self.rule(.values, of: model) { $0[5] = 6 } == .unknownCode(.elementType, value: 6))
    let chain: [(kind: UInt8, coding: UInt8, place: UInt8, [Int], bytes: Int)] = [
      (6, 0, 1, [8, 1], 8), (3, 0, 0, [8], 32), (1, 0, 0, [8], 32),
    ]
    let changed = table(chain)
    #expect(
      try self.rule(.tensors) { $0 = changed } == .tensorKind(expected: .float32, found: .int8))
  }

  @Test func tensorReferences() throws {
    // The last byte before the steps of the second layer names its weights.
    var chain = SampleModels.chain
    chain.layers[1].operation = .binaryConvolution(
      .init(window: WindowGeometry(kernel: [])), weights: SampleModels.weights([8, 8]),
      Epilogue(output: .accumulatorBits(.init(lower: [0], upper: [9], insideIsPlus: [true]))))
    let marker: [UInt8] = [1, 0, 1, 0]  // operation, spatial rank, groups, padding
    let broken = try rule(.layers, of: chain) { bytes in
      for index in bytes.indices.dropLast(5)
      where Array(bytes[index..<(index + 4)]) == marker && bytes[index + 4] == 0 {
        bytes[index + 4] = 1
        return
      }
    }
    #expect(broken == .tensorReference(found: 1, expectedAtMost: 0))
  }

  @Test func unusedTensors() throws {
    let model = SampleModels.pointwise(Epilogue(output: .bits(.zeroIsPlus)))
    var sections = FileSurgery.sections(try model.encoded([.raw]))
    sections[3].bytes = table([(kind: 1, coding: 0, place: 0, [2], bytes: 8)])
    sections[4].bytes = .init(repeating: 0, count: 8)
    let error = #expect(throws: FormatError.self) {
      try BinaryModel(decoding: FileSurgery.file(sections))
    }
    #expect(error?.rule == .unusedTensor)
  }

  @Test func bitsAfterTheLastAreZero() throws {
    let model = SampleModels.model(
      .binaryConvolution(
        .init(window: WindowGeometry(kernel: [])), weights: SampleModels.weights([3, 5]),
        Epilogue()), inputs: [SampleModels.signs(.batch(1), .fixed(5))],
      outputs: [SampleModels.reals(.batch(1), .fixed(3))])
    #expect(try rule(.weights, of: model) { $0[1] |= 0x80 } == .bitsAfterEnd)
  }

  @Test func paddingBetweenTensorsIsZero() throws {
    let first = SampleModels.chain
    var second = first
    second.layers[2].operation = .binaryConvolution(
      .init(window: WindowGeometry(kernel: [])),
      weights: PackedTensor(shape: [8, 8]) { $0 % 2 == 0 }, Epilogue())
    #expect(try rule(.weights, of: second) { $0[20] = 1 } == .paddingNotZero)
  }

  @Test func listsOfOneStandInTheRecord() throws {
    let model = SampleModels.pointwise(Epilogue(steps: [.affine(scale: [1, 2, 3], bias: [0])]))
    var sections = FileSurgery.sections(try model.encoded([.raw]))
    sections[3].bytes = table([(kind: 1, coding: 0, place: 0, [1], bytes: 4)])
    sections[4].bytes = .init(repeating: 0, count: 4)
    let error = #expect(throws: FormatError.self) {
      try BinaryModel(decoding: FileSurgery.file(sections))
    }
    #expect(error?.rule == .listOfOne)
  }

  @Test func thresholdListsAgreeInLength() throws {
    let model = SampleModels.binaryConvolution(
      Epilogue(output: .accumulatorBits(SampleModels.thresholds[3])))
    var sections = FileSurgery.sections(try model.encoded([.raw]))
    #expect(sections[3].bytes[0] == 4)
    sections[3].bytes = table([
      (kind: 2, coding: 0, place: 1, [4, 3, 3, 5], bytes: 23),
      (kind: 3, coding: 0, place: 0, [4], bytes: 16),
      (kind: 3, coding: 0, place: 0, [3], bytes: 12),
      (kind: 2, coding: 0, place: 0, [4], bytes: 1),
    ])
    sections[4].bytes = sections[4].bytes.dropLast(5) + [0]
    let error = #expect(throws: FormatError.self) {
      try BinaryModel(decoding: FileSurgery.file(sections))
    }
    #expect(error?.rule == .parameterCount(channels: 4, found: 3))
  }
}
