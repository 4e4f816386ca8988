/// What a message type says about one of its fields.
enum WireField<Schema> {
  case message(Schema)
  case other
}

/// Checks the bytes of a message before they are unpacked.
///
/// The unpacking library recurses once per level of nesting and allocates a struct per message,
/// however small the message is in the file. So this walks the bytes first, with a stack of its
/// own: every field must lie within its message, the nesting must be shallow, and the structs that
/// unpacking would allocate must stay in proportion to the file.
struct WireScan<Schema> {
  static var maximumDepth: Int { 64 }

  /// What unpacking allocates for a message, without its contents.
  let structSize: (Schema) -> Int
  let field: (Schema, UInt32) -> WireField<Schema>

  func check(_ bytes: UnsafeRawBufferPointer, as root: Schema) throws(ImportFault) {
    // Models of many small nodes need about ten times their size; hostile ones, hundreds of times.
    var allowance = bytes.count * 8 + 256 << 20
    var cursor = WireCursor(bytes: bytes)
    var open: [(schema: Schema, end: Int)] = [(root, bytes.count)]
    allowance -= structSize(root)
    while let (schema, end) = open.last {
      if cursor.offset == end {
        open.removeLast()
        continue
      }
      allowance -= 64
      let (number, content) = try cursor.nextField(end: end)
      guard let content, case .message(let inner) = field(schema, number) else { continue }
      guard open.count < Self.maximumDepth else {
        throw ImportFault(.nestedTooDeeply(limit: Self.maximumDepth))
      }
      allowance -= structSize(inner)
      guard allowance >= 0 else { throw ImportFault(.tooManyParts) }
      cursor.offset = content.lowerBound
      open.append((inner, content.upperBound))
    }
    guard allowance >= 0 else { throw ImportFault(.tooManyParts) }
  }
}

/// Reads fields of the protocol buffers wire format.
struct WireCursor {
  let bytes: UnsafeRawBufferPointer
  var offset = 0

  /// Reads a field's tag and skips its content.
  ///
  /// - Returns: the field's number, and the content of a field with a length.
  mutating func nextField(end: Int) throws(ImportFault) -> (UInt32, Range<Int>?) {
    let start = offset
    let tag = try varint(end: end)
    let number = tag >> 3
    guard number >= 1, number < 1 << 29 else {
      throw ImportFault(.invalidWireFormat(offset: start))
    }
    switch tag & 7 {
    case 0: _ = try varint(end: end)
    case 1: try skip(8, end: end)
    case 5: try skip(4, end: end)
    case 2:
      let length = try varint(end: end)
      guard length <= UInt64(end - offset) else { throw ImportFault(.truncated(offset: start)) }
      let content = offset..<offset + Int(length)
      offset = content.upperBound
      return (UInt32(number), content)
    default: throw ImportFault(.invalidWireFormat(offset: start))
    }
    return (UInt32(number), nil)
  }

  private mutating func skip(_ count: Int, end: Int) throws(ImportFault) {
    guard count <= end - offset else { throw ImportFault(.truncated(offset: offset)) }
    offset += count
  }

  private mutating func varint(end: Int) throws(ImportFault) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<10 {
      guard offset < end else { throw ImportFault(.truncated(offset: offset)) }
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7F) << UInt64(7 * index)
      if byte < 0x80 { return value }
    }
    throw ImportFault(.invalidWireFormat(offset: offset))
  }
}
