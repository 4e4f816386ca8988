/// Reads the format's primitive fields from one section and never past its end.
struct ByteReader {
  let section: FileSection
  private let bytes: ArraySlice<UInt8>
  /// Position in the file of the next byte.
  private(set) var offset: Int

  init(_ bytes: ArraySlice<UInt8>, section: FileSection) {
    self.section = section
    self.bytes = bytes
    offset = bytes.startIndex
  }

  var bytesLeft: Int { bytes.endIndex - offset }

  func failure(_ rule: FormatError.Rule, at position: Int? = nil) -> FormatError {
    .broken(.init(rule, section: section, offset: position ?? offset))
  }

  mutating func byte() throws(FormatError) -> UInt8 {
    guard offset < bytes.endIndex else { throw failure(.recordIncomplete) }
    offset += 1
    return bytes[offset - 1]
  }

  mutating func flag() throws(FormatError) -> Bool {
    try code(.flag) { $0 < 2 ? $0 == 1 : nil }
  }

  /// A byte whose meaning `decode` knows.
  mutating func code<Value>(
    _ field: FormatError.CodedField, _ decode: (UInt8) -> Value?
  ) throws(FormatError) -> Value {
    let start = offset
    let value = try byte()
    guard let decoded = decode(value) else {
      throw failure(.unknownCode(field, value: value), at: start)
    }
    return decoded
  }

  mutating func raw(count: Int) throws(FormatError) -> ArraySlice<UInt8> {
    guard count <= bytesLeft else { throw failure(.recordIncomplete) }
    offset += count
    return bytes[(offset - count)..<offset]
  }

  mutating func fixed<Value: FixedWidthInteger>(
    _ type: Value.Type = Value.self
  ) throws(FormatError) -> Value {
    let field = try raw(count: Value.bitWidth / 8)
    return field.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(as: Value.self)) }
  }

  mutating func float() throws(FormatError) -> Float { Float(bitPattern: try fixed()) }

  mutating func integer() throws(FormatError) -> Int {
    let start = offset
    var value = 0
    for shift in stride(from: 0, to: 63, by: 7) {
      let next = try byte()
      value |= Int(next & 0x7F) << shift
      guard next & 0x80 == 0 else { continue }
      if next == 0, shift > 0 { throw failure(.integerNotShortest, at: start) }
      guard value < 1 << 62 else { throw failure(.integerTooLarge, at: start) }
      return value
    }
    throw failure(.integerTooLarge, at: start)
  }

  /// An integer of either sign: 2n for n ≥ 0 and −2n − 1 for n < 0.
  mutating func signedInteger() throws(FormatError) -> Int {
    let code = try integer()
    return code & 1 == 0 ? code >> 1 : -(code >> 1) - 1
  }

  /// A number of records, each of which takes at least `minimum` bytes.
  mutating func count(ofAtLeast minimum: Int = 1) throws(FormatError) -> Int {
    let start = offset
    let count = try integer()
    guard count <= bytesLeft / minimum else {
      throw failure(.count(found: count, room: bytesLeft), at: start)
    }
    return count
  }

  mutating func integers() throws(FormatError) -> [Int] {
    var values: [Int] = []
    for _ in 0..<(try count()) { values.append(try integer()) }
    return values
  }

  mutating func string() throws(FormatError) -> String {
    let start = offset
    let length = try count()
    let field = try raw(count: length)
    // Decoding repairs what is not UTF-8, which changes the bytes.
    let text = String(decoding: field, as: UTF8.self)
    guard text.utf8.elementsEqual(field) else { throw failure(.notUTF8, at: start) }
    return text
  }

  /// Nothing follows the last record.
  func finish() throws(FormatError) {
    guard bytesLeft == 0 else { throw failure(.bytesAfterRecords(count: bytesLeft)) }
  }
}
