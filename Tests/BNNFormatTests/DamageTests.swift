import BNNTensor
import Testing

@testable import BNNFormat

/// Files that are damaged, cut, or made to mislead: each has its own error, none gets through.
@Suite struct DamageTests {
  private let file: [UInt8]

  init() throws { file = try SampleModels.chain.encoded([.raw]) }

  private func violation(_ bytes: [UInt8]) -> FormatError.Violation? {
    do {
      _ = try BinaryModel(decoding: bytes)
    } catch {
      if case .broken(let violation) = error { return violation }
    }
    return nil
  }

  @Test func everyTruncationIsNoticed() {
    for length in file.indices {
      let rule = violation(Array(file[..<length]))?.rule
      if length < FileLayout.headerLength {
        #expect(rule == .headerIncomplete(bytes: length))
      } else {
        #expect(rule == .fileLength(declared: UInt64(file.count), found: length))
      }
    }
  }

  @Test func everyFlippedBitIsNoticed() {
    for model in [SampleModels.chain, SampleModels.all[0], SampleModels.quantized(scales: [1])] {
      guard let original = try? model.encoded() else { continue }
      for position in original.indices {
        for bit in 0..<8 {
          var bytes = original
          bytes[position] ^= 1 << UInt8(bit)
          #expect(violation(bytes) != nil, "byte \(position), bit \(bit)")
        }
      }
    }
  }

  @Test func headerRules() {
    #expect(violation([])?.rule == .headerIncomplete(bytes: 0))
    #expect(violation(Array("PK\u{3}\u{4}, not a model".utf8))?.rule == .magic)
    let text = file.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
    #expect(violation(text)?.rule == .magic)
    for version: UInt32 in [0, 2, .max] {
      let bytes = FileSurgery.header(file) { $0.set(version, at: 8) }
      #expect(violation(bytes)?.rule == .version(found: version))
      #expect(violation(bytes)?.offset == 8)
    }
    let swapped = FileSurgery.header(file) { $0.set(UInt32(0x0D0C_0B0A), at: 12) }
    #expect(violation(swapped)?.rule == .byteOrder)
    let features = FileSurgery.header(file) { $0.set(UInt64(1) << 40, at: 16) }
    #expect(violation(features)?.rule == .unknownFeatures(bits: 1 << 40))
    let both = FileSurgery.header(file) { $0.set(UInt64(0b1001), at: 16) }
    #expect(violation(both)?.rule == .unknownFeatures(bits: 0b1000))
    let reserved = FileSurgery.header(file) { $0[55] = 1 }
    #expect(violation(reserved)?.rule == .reserved)
    let longer = FileSurgery.header(file) { $0.set(UInt64(file.count + 1), at: 24) }
    #expect(
      violation(longer)?.rule
        == .fileLength(declared: UInt64(file.count + 1), found: file.count))
    let huge = FileSurgery.header(file) { $0.set(UInt64.max, at: 24) }
    #expect(violation(huge)?.rule == .fileTooLarge(bytes: .max))
    let sections = FileSurgery.header(file) { $0.set(UInt32.max, at: 32) }
    #expect(violation(sections)?.rule == .sectionCount(found: .max))
    var checksum = file
    checksum[60] ^= 1
    #expect(violation(checksum)?.rule == .headerChecksum)
    #expect(
      violation(file + [0])?.rule
        == .fileLength(declared: UInt64(file.count), found: file.count + 1))
  }

  /// A reader without a feature learns of it before it meets what needs it, and only then.
  @Test func declaredFeaturesAreThoseThatContentsNeed() throws {
    #expect(file.fixed(UInt64.self, at: 16) == 0)
    let spare = FileSurgery.header(file) { $0.set(UInt64(1), at: 16) }
    #expect(violation(spare)?.rule == .features(declared: 1, needed: 0))
    #expect(violation(spare)?.offset == 16)
    let quantized = try SampleModels.quantized(scales: [1]).encoded([.raw])
    #expect(quantized.fixed(UInt64.self, at: 16) == 1)
    let silent = FileSurgery.header(quantized) { $0.set(UInt64(0), at: 16) }
    #expect(violation(silent)?.rule == .features(declared: 0, needed: 1))
    let coded = try SampleModels.chain.encoded()
    #expect(coded.fixed(UInt64.self, at: 16) == 2)
    let raw = FileSurgery.header(coded) { $0.set(UInt64(0), at: 16) }
    #expect(violation(raw)?.rule == .features(declared: 0, needed: 2))
    let alsoSpare = FileSurgery.header(file) { $0.set(UInt64(2), at: 16) }
    #expect(violation(alsoSpare)?.rule == .features(declared: 2, needed: 0))
  }

  @Test func sectionTableRules() {
    let size = FileLayout.tableEntryLength
    func entry(_ index: Int, _ edit: (inout [UInt8], Int) -> Void) -> FormatError.Rule? {
      let bytes = FileSurgery.header(file) {
        edit(&$0, FileLayout.headerLength + index * size)
      }
      return violation(bytes)?.rule
    }
    #expect(entry(1) { $0.set(UInt32(1), at: $1) } == .sectionOrder(kind: 1))
    #expect(entry(5) { $0.set(UInt32(99), at: $1) } == .unknownSection(kind: 99))
    #expect(entry(0) { $0.set(UInt32(1), at: $1 + 4) } == .sectionFlags(kind: 1, flags: 1))
    #expect(entry(0) { $0.set(UInt32(2), at: $1 + 4) } == .sectionFlags(kind: 1, flags: 2))
    let first = UInt64(256)
    #expect(
      entry(0) { $0.set(first + 64, at: $1 + 8) }
        == .sectionOffset(expected: first, found: first + 64))
    #expect(
      entry(0) { $0.set(UInt64.max, at: $1 + 8) }
        == .sectionOffset(expected: first, found: .max))
    #expect(entry(0) { $0.set(UInt64.max, at: $1 + 16) } == .sectionOutOfFile(length: .max))
    #expect(entry(0) { $0.set(UInt32(1), at: $1 + 28) } == .reserved)
    #expect(entry(0) { $0[$1 + 20] ^= 1 } == .sectionOutOfFile(length: metadataLength | 1 << 32))
    #expect(entry(0) { $0[$1 + 24] ^= 1 } == .sectionChecksum)
    #expect(
      entry(5) {
        $0.set(UInt64(0), at: $1 + 16); $0.set(UInt32(0), at: $1 + 24)
      }
        == .trailingBytes(count: 8))
    var table = file
    table[FileLayout.headerLength] ^= 1
    #expect(violation(table)?.rule == .tableChecksum)
  }

  private var metadataLength: UInt64 {
    UInt64(file[FileLayout.headerLength + 16])
  }

  @Test func sectionsMustNotOverlapNorLeaveGaps() {
    // The second section at the first one's place, and one alignment further than it should.
    let entry = FileLayout.headerLength + FileLayout.tableEntryLength
    let overlap = FileSurgery.header(file) { $0.set(UInt64(256), at: entry + 8) }
    guard case .sectionOffset(let expected, 256)? = violation(overlap)?.rule else {
      Issue.record("an overlap was accepted")
      return
    }
    let gap = FileSurgery.header(file) { $0.set(expected + 64, at: entry + 8) }
    #expect(
      violation(gap)?.rule == .sectionOffset(expected: expected, found: expected + 64))
  }

  @Test func paddingBetweenSectionsIsZero() {
    let end = 256 + Int(metadataLength)
    var bytes = file
    bytes[end] = 7
    #expect(violation(bytes)?.rule == .paddingNotZero)
    #expect(violation(bytes)?.offset == end)
  }

  @Test func optionalSectionsAreSkippedAndRequiredOnesNeeded() throws {
    var sections = FileSurgery.sections(file)
    let extended = FileSurgery.file(sections + [.init(kind: 77, flags: 1, bytes: [1, 2, 3])])
    #expect(try BinaryModel(decoding: extended) == SampleModels.chain)
    #expect(try FileSummary(decoding: extended).sections.last?.name == "section 77")
    #expect(
      violation(FileSurgery.file(sections + [.init(kind: 77, flags: 0, bytes: [])]))?.rule
        == .unknownSection(kind: 77))
    let many = (7..<80).map { FileSurgery.Section(kind: UInt32($0), flags: 1, bytes: []) }
    #expect(violation(FileSurgery.file(sections + many))?.rule == .sectionCount(found: 79))
    let removed = sections.remove(at: 3)
    #expect(removed.kind == FileSection.tensors.rawValue)
    #expect(violation(FileSurgery.file(sections))?.rule == .missingSection(.tensors))
  }
}
