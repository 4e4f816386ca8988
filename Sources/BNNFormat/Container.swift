/// The outer form of a file: a header, a table of sections, and the sections. Everything is
/// checked, checksums included; what the sections mean is not looked at.
struct Container {
  /// The whole file.
  let bytes: [UInt8]
  let features: FileFeatures
  /// Where in the file each section lies, unknown ones included.
  private(set) var sections: [(kind: UInt32, range: Range<Int>)] = []

  /// Where the section table ends.
  var tableEnd: Int { FileLayout.headerLength + sections.count * FileLayout.tableEntryLength }

  func content(of section: FileSection) -> ArraySlice<UInt8> {
    guard let found = sections.first(where: { $0.kind == section.rawValue }) else { return [] }
    return bytes[found.range]
  }

  func reader(_ section: FileSection) -> ByteReader {
    ByteReader(content(of: section), section: section)
  }

  // MARK: Reading

  init(decoding bytes: [UInt8]) throws(FormatError) {
    self.bytes = bytes
    let (count, features) = try Container.checkHeader(bytes)
    self.features = features
    let tableEnd = FileLayout.headerLength + count * FileLayout.tableEntryLength
    guard tableEnd <= bytes.count else { throw failure(.sectionCount(found: UInt32(count)), 32) }
    let table = bytes[FileLayout.headerLength..<tableEnd]
    var tableChecksum = ByteReader(bytes[56..<60], section: .header)
    guard try tableChecksum.fixed() == Checksum.crc32c(table) else {
      throw failure(.tableChecksum, FileLayout.headerLength)
    }
    try readTable(table)
    if let missing = FileSection.required.first(where: { section in
      !sections.contains { $0.kind == section.rawValue }
    }) {
      throw failure(.missingSection(missing), FileLayout.headerLength)
    }
  }

  private static func checkHeader(
    _ bytes: [UInt8]
  ) throws(FormatError) -> (sections: Int, FileFeatures) {
    let magic = FileLayout.magic
    guard bytes.prefix(magic.count).elementsEqual(magic.prefix(bytes.count)) else {
      throw header(.magic, 0)
    }
    guard bytes.count >= FileLayout.headerLength else {
      throw header(.headerIncomplete(bytes: bytes.count), bytes.count)
    }
    var reader = ByteReader(bytes[8..<FileLayout.headerLength], section: .header)
    let version: UInt32 = try reader.fixed()
    guard try reader.fixed() == FileLayout.byteOrderMark else { throw header(.byteOrder, 12) }
    guard version == FileLayout.version else { throw header(.version(found: version), 8) }
    var checksum = ByteReader(bytes[60..<64], section: .header)
    guard try checksum.fixed() == Checksum.crc32c(bytes[..<60]) else {
      throw header(.headerChecksum, 60)
    }
    let features = FileFeatures(rawValue: try reader.fixed())
    let unknown = features.subtracting(.known)
    guard unknown.isEmpty else { throw header(.unknownFeatures(bits: unknown.rawValue), 16) }
    let length: UInt64 = try reader.fixed()
    guard length <= FileLayout.maximumLength else { throw header(.fileTooLarge(bytes: length), 24) }
    guard length == UInt64(bytes.count) else {
      throw header(.fileLength(declared: length, found: bytes.count), 24)
    }
    let count: UInt32 = try reader.fixed()
    guard count <= FileLayout.maximumSections else {
      throw header(.sectionCount(found: count), 32)
    }
    guard bytes[36..<56].allSatisfy({ $0 == 0 }) else { throw header(.reserved, 36) }
    return (Int(count), features)
  }

  private mutating func readTable(_ table: ArraySlice<UInt8>) throws(FormatError) {
    var reader = ByteReader(table, section: .header)
    var end = table.endIndex
    var lastKind: UInt32 = 0
    while reader.bytesLeft > 0 {
      let start = reader.offset
      let kind: UInt32 = try reader.fixed()
      let flags: UInt32 = try reader.fixed()
      let offset: UInt64 = try reader.fixed()
      let length: UInt64 = try reader.fixed()
      let checksum: UInt32 = try reader.fixed()
      guard try reader.fixed(UInt32.self) == 0 else { throw failure(.reserved, start + 28) }
      guard kind > lastKind else { throw failure(.sectionOrder(kind: kind), start) }
      lastKind = kind
      try checkFlags(flags, kind: kind, at: start)
      let expected = end.roundedUp(to: FileLayout.alignment)
      guard offset == UInt64(expected) else {
        throw failure(.sectionOffset(expected: UInt64(expected), found: offset), start + 8)
      }
      guard expected <= bytes.count, length <= UInt64(bytes.count - expected) else {
        throw failure(.sectionOutOfFile(length: length), start + 16)
      }
      if let wrong = bytes[end..<expected].firstIndex(where: { $0 != 0 }) {
        throw failure(.paddingNotZero, wrong)
      }
      end = expected + Int(length)
      guard Checksum.crc32c(bytes[expected..<end]) == checksum else {
        throw .broken(
          .init(.sectionChecksum, section: FileSection(rawValue: kind), offset: expected))
      }
      sections.append((kind, expected..<end))
    }
    guard end == bytes.count else {
      throw failure(.trailingBytes(count: bytes.count - end), end)
    }
  }

  private func checkFlags(_ flags: UInt32, kind: UInt32, at start: Int) throws(FormatError) {
    let isKnown = FileSection(rawValue: kind) != nil
    guard flags <= 1, !(isKnown && flags == 1) else {
      throw failure(.sectionFlags(kind: kind, flags: flags), start + 4)
    }
    guard isKnown || flags == 1 else { throw failure(.unknownSection(kind: kind), start) }
  }

  private func failure(_ rule: FormatError.Rule, _ offset: Int) -> FormatError {
    Container.header(rule, offset)
  }

  private static func header(_ rule: FormatError.Rule, _ offset: Int) -> FormatError {
    .broken(.init(rule, section: .header, offset: offset))
  }

  // MARK: Writing

  /// The bytes of a file with these sections, in this order.
  static func encoded(
    _ sections: [(kind: FileSection, bytes: [UInt8])], features: FileFeatures = []
  ) -> [UInt8] {
    let tableLength = sections.count * FileLayout.tableEntryLength
    var table = ByteWriter()
    var length = FileLayout.headerLength + tableLength
    for section in sections {
      length = length.roundedUp(to: FileLayout.alignment)
      table.fixed(section.kind.rawValue)
      table.fixed(UInt32(0))
      table.fixed(UInt64(length))
      table.fixed(UInt64(section.bytes.count))
      table.fixed(Checksum.crc32c(section.bytes[...]))
      table.fixed(UInt32(0))
      length += section.bytes.count
    }
    var file = ByteWriter()
    file.reserve(length)
    file.raw(FileLayout.magic)
    file.fixed(FileLayout.version)
    file.fixed(FileLayout.byteOrderMark)
    file.fixed(features.rawValue)
    file.fixed(UInt64(length))
    file.fixed(UInt32(sections.count))
    file.raw(repeatElement(0, count: 20))
    file.fixed(Checksum.crc32c(table.bytes[...]))
    file.fixed(Checksum.crc32c(file.bytes[...]))
    file.raw(table.bytes)
    for section in sections {
      file.pad(to: FileLayout.alignment)
      file.raw(section.bytes)
    }
    return file.bytes
  }
}
