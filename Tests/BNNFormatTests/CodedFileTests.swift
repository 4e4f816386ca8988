import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNFormat

/// Files with coded tensors.
@Suite struct CodedFileTests {
  private func tensors(_ model: BinaryModel) throws -> [StoredTensor] {
    try DecodedFile(decoding: model.encoded()).store.tensors
  }

  @Test func everyTensorHasTheSmallestCoding() throws {
    for (coding, model) in SampleModels.coded(seed: 20) {
      let bytes = try model.encoded()
      #expect(try BinaryModel(decoding: bytes) == model)
      let file = try DecodedFile(decoding: bytes)
      let tensor = try #require(file.store.tensors.max { $0.rawByteCount < $1.rawByteCount })
      #expect(tensor.coding == coding, "\(tensor.dimensions)")
      #expect(file.container.features.contains(.codedTensors) == (coding != .raw))
    }
  }

  /// Each coding by itself, where it is not the best one as well.
  @Test func everyCodingKeepsTheModel() throws {
    for (_, model) in SampleModels.coded(seed: 21) {
      let raw = try model.encoded([.raw])
      for coding in StoredTensor.Coding.allCases {
        let bytes = try model.encoded([coding])
        #expect(bytes.count <= raw.count)
        #expect(try BinaryModel(decoding: bytes) == model)
      }
    }
  }

  @Test func codedTensorsFollowEachOtherWithoutPadding() throws {
    let chain = SampleModels.chain
    let file = try DecodedFile(decoding: chain.encoded())
    #expect(file.store.tensors.map(\.coding) == [.raw, .int8, .float16])
    #expect(file.container.content(of: .parameters).count == 9 + 11)
  }

  @Test func manyNumbersThatBecomeLittleStayRaw() throws {
    var budget = DecodingBudget()
    var tensor = StoredTensor(
      kind: .sign, coding: .positions, place: .weights, dimensions: [8 << 26],
      bytes: [UInt8](repeating: 0, count: 3)[...])
    #expect(budget.allows(tensor))
    budget.add(tensor)
    #expect(!budget.allows(tensor))
    tensor.coding = .raw
    #expect(budget.allows(tensor))
    tensor.bytes = [UInt8](repeating: 0, count: 1 << 18)[...]
    budget.add(tensor)
    tensor.coding = .positions
    #expect(budget.allows(tensor))
  }

  // MARK: Files that mislead

  private func violation(_ bytes: [UInt8]) -> FormatError.Violation? {
    do {
      _ = try BinaryModel(decoding: bytes)
    } catch {
      if case .broken(let violation) = error { return violation }
    }
    return nil
  }

  /// One layer of signs with a table entry and bytes of our own.
  private func file(
    kind: UInt8 = 2, coding: UInt8, _ dimensions: [Int], _ bytes: [UInt8]
  ) throws -> [UInt8] {
    let model = SampleModels.layer(
      .signs(PackedTensor(shape: [64, 64]) { $0 % 7 == $0 / 64 % 7 }))
    var sections = FileSurgery.sections(try model.encoded())
    var table = ByteWriter()
    table.raw([1, kind, coding, 1])
    table.integers(dimensions)
    table.integer(bytes.count)
    sections[3].bytes = table.bytes
    sections[5].bytes = bytes
    return FileSurgery.file(sections, features: .codedTensors)
  }

  @Test func entriesOfCodedTensors() throws {
    let positions: [UInt8] = [0x80, 0]
    #expect(try violation(file(coding: 9, [64, 64], positions)) == nil)
    #expect(
      try violation(file(coding: 10, [64, 64], positions))?.rule
        == .unknownCode(.coding, value: 10))
    for coding: UInt8 in 2...8 {
      let broken = try violation(file(coding: coding, [64, 64], positions))
      #expect(broken?.rule == .tensorCoding(coding, .sign))
      #expect(broken?.section == .tensors)
    }
    #expect(
      try violation(file(kind: 1, coding: 9, [64, 64], positions))?.rule
        == .tensorCoding(9, .float32))
    let long = [UInt8](repeating: 0, count: 512)
    #expect(
      try violation(file(coding: 9, [64, 64], long))?.rule == .codedBytes(raw: 512, found: 512))
    let declared = FileSurgery.header(try file(coding: 9, [64, 64], positions)) {
      $0.set(UInt64(0), at: 16)
    }
    #expect(violation(declared)?.rule == .features(declared: 0, needed: 2))
  }

  @Test func smallFilesDoNotBecomeLarge() throws {
    let bytes = try file(coding: 9, [1 << 20, 1 << 19], [0x80, 0])
    let limit = 1 << 26 + 256 * bytes.count
    #expect(violation(bytes)?.rule == .decodedBytes(limit: limit))
    #expect(violation(bytes)?.item == .tensor(index: 0))
    // As many as may be are reserved.
    let most = try file(coding: 9, [1 << 15, 1 << 14], [0x80, 1])
    #expect(violation(most)?.rule == .codedTensor(.tooShort))
  }

  @Test func problemsSayWhere() throws {
    let broken = try violation(file(coding: 9, [64, 64], [0x80, 0, 1]))
    #expect(broken?.rule == .codedTensor(.bytesLeft(1)))
    #expect(broken?.section == .weights)
    #expect(broken?.item == .tensor(index: 0))
    #expect((broken?.offset ?? 0) % 64 == 0)
    #expect(broken.map { "\($0)" }?.contains("in section 'weights', tensor 0: ") == true)
  }

  private func problem(
    _ coding: StoredTensor.Coding, _ dimensions: [Int], _ bytes: [UInt8],
    of kind: StoredTensor.Kind = .sign
  ) -> FormatError.CodingProblem? {
    let tensor = StoredTensor(
      kind: kind, coding: coding, place: .weights, dimensions: dimensions, bytes: bytes[...])
    do {
      _ = try tensor.decoded()
      return nil
    } catch {
      return error
    }
  }

  private func bits(_ write: (inout BitWriter) -> Void) -> [UInt8] {
    var writer = BitWriter()
    write(&writer)
    return writer.finished()
  }

  @Test func wrongPositions() {
    func positions(_ head: UInt8, _ count: [UInt8], _ gaps: [Int]) -> FormatError.CodingProblem? {
      let code = bits { for gap in gaps { $0.rice(gap, parameter: Int(head & 31)) } }
      return problem(.positions, [20], [head] + count + code)
    }
    #expect(positions(0x82, [2], [0, 18]) == nil)
    #expect(positions(0x82, [2], [0, 19]) == .position(20, elements: 20))
    #expect(positions(0x82, [2], [0, 400]) == .numberTooLarge)
    #expect(positions(0x82, [2], [19, 0]) == .numberTooLarge)
    #expect(positions(0x02, [11], []) == .positionCount(11, elements: 20))
    #expect(positions(0x42, [0], []) == .positionsHead(0x42))
    #expect(positions(0x22, [0], []) == .positionsHead(0x22))
    #expect(positions(0x80, [0x80, 0], []) == .integerNotShortest)
    #expect(positions(0x80, .init(repeating: 0xFF, count: 10), []) == .numberTooLarge)
    #expect(positions(0x80, [3], [0]) == .tooShort)
    #expect(problem(.positions, [20], []) == .tooShort)
    #expect(problem(.positions, [20], [0x80, 1, 0x03]) == .unusedBits)
    #expect(problem(.positions, [20], [0x80, 1, 0x01, 0]) == .bytesLeft(1))
  }

  /// A table: flat, precision, gap parameter, then what is written.
  private func table(
    flat: Bool = false, _ precision: Int, _ write: (inout BitWriter) -> Void
  ) -> FormatError.CodingProblem? {
    problem(
      .kernels, [2, 3, 2],
      bits {
        $0.bits(flat ? 1 : 0, count: 1)
        $0.bits(precision, count: 4)
        $0.bits(0, count: 3)
        write(&$0)
      })
  }

  @Test func wrongTables() {
    func numbers(_ writer: inout BitWriter, _ values: Int...) {
      for value in values { writer.exponentialGolomb(value, parameter: 0) }
    }
    // One symbol: nothing follows its table.
    #expect(
      table(0) {
        $0.bits(0, count: 4); numbers(&$0, 7, 0)
      } == nil)
    #expect(table(flat: true, 0) { numbers(&$0, 0, 7) } == nil)
    #expect(
      table(0) {
        $0.bits(0, count: 4); numbers(&$0, 8, 0)
      } == .symbol(8, alphabet: 8))
    for precision in 13...15 { #expect(table(precision) { _ in } == .precision(precision)) }
    // Four symbols: 2^precision is at most 4 · 4 + 256.
    #expect(table(9) { _ in } == .precision(9))
    #expect(table(8) { _ in } == .tooShort)
    #expect(
      table(1) {
        $0.bits(0, count: 4); numbers(&$0, 0, 1)
      } == .symbolCount(1))
    #expect(table(flat: true, 3) { numbers(&$0, 0, 7) } == .symbolCount(1))
    #expect(table(flat: true, 3) { numbers(&$0, 8) } == .symbolCount(9))
    #expect(
      table(2) {
        $0.bits(0, count: 4); numbers(&$0, 0, 2, 0, 1)
      } == .frequencies(total: 5))
    #expect(
      table(2) {
        $0.bits(0, count: 4); numbers(&$0, 0, 2, 7, 0)
      } == .symbol(8, alphabet: 8))
    #expect(
      table(3) {
        $0.bits(0, count: 4); numbers(&$0, 0)
      } == .tooShort)
    #expect(
      table(3) {
        $0.bits(0, count: 4); $0.unary(40)
      } == .numberTooLarge)
    #expect(
      table(0) {
        $0.bits(0, count: 4); numbers(&$0, 7, 0); $0.bits(1, count: 1)
      } == .unusedBits)
    #expect(problem(.kernels, [2, 3, 2], []) == .tooShort)
  }

  @Test func wrongStreams() throws {
    let symbols: [UInt16] = [3, 3, 5, 3, 3, 3, 5, 0, 3, 3, 3, 3, 3, 3, 3, 3, 5, 3, 0, 3]
    var counts = [Int](repeating: 0, count: 8)
    for symbol in symbols { counts[Int(symbol)] += 1 }
    let choice = try #require(SymbolTable.best(for: counts, below: .max))
    let head = choice.table.encoded
    let stream = EntropyCoder.encoded(symbols, choice.table)
    func edited(_ edit: (inout [UInt8]) -> Void) -> FormatError.CodingProblem? {
      var bytes = stream
      edit(&bytes)
      return problem(.kernels, [2, 3, 10], head + bytes)
    }
    #expect(edited { _ in } == nil)
    for length in stream.indices { #expect(edited { $0 = Array($0[..<length]) } == .tooShort) }
    #expect(edited { $0 += [0] } == .bytesLeft(1))
    #expect(edited { $0 += [0, 0] } == .bytesLeft(2))
    #expect(
      edited {
        $0[2] = 0; $0[3] = 0
      } == .startState)
    // Another stream that ends as it should is the one of other symbols.
    for position in stream.indices {
      for bit in 0..<8 {
        var bytes = head + stream
        bytes[head.count + position] ^= 1 << UInt8(bit)
        guard let other = try? decoded(bytes) else { continue }
        #expect(other != symbols)
        #expect(head + EntropyCoder.encoded(other, choice.table) == bytes)
      }
    }
  }

  private func decoded(_ bytes: [UInt8]) throws -> [UInt16] {
    let tensor = StoredTensor(
      kind: .sign, coding: .kernels, place: .weights, dimensions: [2, 3, 10], bytes: bytes[...])
    let layout = try #require(KernelSymbols(tensor.dimensions))
    return try Array(tensor.decoded().bytes).withUnsafeBufferPointer { layout.symbols($0) }
  }

  @Test func wrongPlanes() {
    #expect(problem(.float16, [4], [4, 1, 2, 3, 4, 5, 6, 7, 8], of: .float32) == .planes(4))
    #expect(problem(.float16, [4], [0, 1, 2, 3, 4, 5, 6, 7], of: .float32) == .tooShort)
    #expect(problem(.float16, [4], [0, 1, 2, 3, 4, 5, 6, 7, 8], of: .float32) == nil)
    #expect(problem(.planes, [1], [0xFF], of: .int64) == .tooShort)
    #expect(problem(.int8Rows, [2, 3], [0x20], of: .float32) == .planes(0x20))
    #expect(problem(.planes, [64], [2], of: .sign) == .planes(2))
  }

  @Test func decodedElementsKeepTheirRules() throws {
    // Bits after the last element, and bools that are neither.
    let signs = PackedTensor(shape: [64, 63]) { $0 % 64 == 0 }
    let model = SampleModels.layer(.signs(signs))
    var sections = FileSurgery.sections(try model.encoded([.raw]))
    sections[5].bytes = [0]
    sections[5].bytes += [UInt8](repeating: 0, count: 503) + [0xFF]
    var table = ByteWriter()
    table.raw([1, 2, 1, 1])
    table.integers([63, 64])
    table.integer(505)
    sections[3].bytes = table.bytes
    #expect(
      violation(FileSurgery.file(sections, features: .codedTensors))?.rule
        == .codedBytes(raw: 504, found: 505))
    let bools = StoredTensor(
      kind: .bool, place: .weights, dimensions: [300],
      bytes: [UInt8](repeating: 2, count: 300)[...])
    let coded = bools.smallest(of: [.planes])
    #expect(coded.coding == .planes)
    let constant = SampleModels.array(
      .constant(Tensor((0..<300).map { $0 % 2 == 0 }, shape: [300])), [],
      SampleModels.bools(.fixed(300)))
    var parts = FileSurgery.sections(try constant.encoded([.planes]))
    parts[5].bytes = Array(coded.bytes)
    var entry = ByteWriter()
    entry.raw([1, 5, 1, 1])
    entry.integers([300])
    entry.integer(coded.bytes.count)
    parts[3].bytes = entry.bytes
    #expect(
      violation(FileSurgery.file(parts, features: .codedTensors))?.rule == .boolElement)
  }

  /// Thousands of changed files, with checksums made right: an error, or a model that is valid.
  @Test(arguments: 0..<13)
  func changedFilesAreRefusedOrValid(index: Int) throws {
    let file = try SampleModels.coded(seed: 22)[index].model.encoded()
    var generator = SeededGenerator(seed: UInt64(index))
    for _ in 0..<400 {
      let sections: [FileSection] = [.weights, .parameters, .tensors, .weights]
      let section = sections[generator.nextIndex(sections.count)]
      let changed = FileSurgery.section(section, of: file) { bytes in
        // Tables are at the front.
        let reach = generator.nextIndex(2) == 0 ? 24 : bytes.count
        for _ in 0...generator.nextIndex(3) where !bytes.isEmpty {
          let position = generator.nextIndex(min(reach, bytes.count))
          switch generator.nextIndex(8) {
          case 0: bytes.remove(at: position)
          case 1: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: position)
          case 2: bytes.removeLast(position)
          case 3...5: bytes[position] ^= 1 << UInt8(generator.nextIndex(8))
          default: bytes[position] = UInt8(truncatingIfNeeded: generator.next())
          }
        }
      }
      guard let model = try? BinaryModel(decoding: changed) else { continue }
      let again = try model.encoded()
      #expect(try BinaryModel(decoding: again).encoded() == again)
    }
  }
}
