@testable import BNNFormat

/// Changes files and makes their checksums right again, so that only the rule in question breaks.
enum FileSurgery {
  struct Section {
    var kind: UInt32
    var flags: UInt32 = 0
    var bytes: [UInt8]
  }

  /// Edits the header or the section table; both checksums are redone.
  static func header(_ file: [UInt8], _ edit: (inout [UInt8]) -> Void) -> [UInt8] {
    var bytes = file
    let count = Int(bytes.fixed(UInt32.self, at: 32))
    edit(&bytes)
    let tableEnd = FileLayout.headerLength + count * FileLayout.tableEntryLength
    bytes.set(Checksum.crc32c(bytes[FileLayout.headerLength..<tableEnd]), at: 56)
    bytes.set(Checksum.crc32c(bytes[..<60]), at: 60)
    return bytes
  }

  static func sections(_ file: [UInt8]) -> [Section] {
    (0..<Int(file.fixed(UInt32.self, at: 32))).map { index in
      let entry = FileLayout.headerLength + index * FileLayout.tableEntryLength
      let start = Int(file.fixed(UInt64.self, at: entry + 8))
      let length = Int(file.fixed(UInt64.self, at: entry + 16))
      return Section(
        kind: file.fixed(at: entry), flags: file.fixed(at: entry + 4),
        bytes: Array(file[start..<(start + length)]))
    }
  }

  /// A file of sections that may be anything.
  static func file(_ sections: [Section], features: FileFeatures = []) -> [UInt8] {
    let known = sections.map { (kind: FileSection.metadata, bytes: $0.bytes) }
    return header(Container.encoded(known, features: features)) { bytes in
      for (index, section) in sections.enumerated() {
        let entry = FileLayout.headerLength + index * FileLayout.tableEntryLength
        bytes.set(section.kind, at: entry)
        bytes.set(section.flags, at: entry + 4)
      }
    }
  }

  /// Edits the contents of one section.
  static func section(
    _ section: FileSection, of file: [UInt8], _ edit: (inout [UInt8]) -> Void
  ) -> [UInt8] {
    var sections = sections(file)
    for index in sections.indices where sections[index].kind == section.rawValue {
      edit(&sections[index].bytes)
    }
    return self.file(sections, features: FileFeatures(rawValue: file.fixed(at: 16)))
  }
}

extension [UInt8] {
  func fixed<Value: FixedWidthInteger>(_ type: Value.Type = Value.self, at offset: Int) -> Value {
    self[offset..<(offset + Value.bitWidth / 8)].withUnsafeBytes {
      Value(littleEndian: $0.loadUnaligned(as: Value.self))
    }
  }

  mutating func set<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    var writer = ByteWriter()
    writer.fixed(value)
    replaceSubrange(offset..<(offset + writer.bytes.count), with: writer.bytes)
  }
}
