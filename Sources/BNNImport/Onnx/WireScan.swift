/// What a message type says about one of its fields.
enum WireField<Schema> {
  case message(Schema)
  /// The elements of a tensor.
  case elements
  case other
}

/// Reads the bytes of a message, checked and without the elements of tensors, so that they can be
/// unpacked.
///
/// The unpacking library recurses once per level of nesting, allocates a struct per message, however
/// small the message is in the file, and copies what it unpacks. So this walks the file first, with
/// a stack of its own: every field must lie within its message, the nesting must be shallow, and
/// the structs that unpacking would allocate must stay in proportion to the file. In place of a
/// tensor's elements stands where they are: they are read when the tensor is decoded.
struct WireScan<Schema> {
  static var maximumDepth: Int { 64 }

  /// What unpacking allocates for a message, without its contents.
  let structSize: (Schema) -> Int
  let field: (Schema, UInt32) -> WireField<Schema>

  func skeleton(of file: InputFile, as root: Schema) throws(ImportFault) -> [UInt8] {
    // Models of many small nodes need about ten times their size; hostile ones, hundreds of times.
    var allowance = file.byteCount * 8 + 256 << 20
    var cursor = WireCursor(file)
    var skeleton = Skeleton()
    var open: [(schema: Schema, end: Int, start: Int)] = [(root, file.byteCount, 0)]
    allowance -= structSize(root)
    while let (schema, end, start) = open.last {
      if cursor.offset == end {
        open.removeLast()
        if !open.isEmpty { skeleton.endMessage(from: start) }
        continue
      }
      allowance -= 64
      let begin = cursor.offset
      let (number, content) = try cursor.nextField(end: end)
      switch content.map({ _ in field(schema, number) }) {
      case .message(let inner):
        guard open.count < Self.maximumDepth else {
          throw ImportFault(.nestedTooDeeply(limit: Self.maximumDepth))
        }
        allowance -= structSize(inner)
        guard allowance >= 0, let content else { throw ImportFault(.tooManyParts) }
        cursor.offset = content.lowerBound
        open.append((inner, content.upperBound, skeleton.beginMessage(number)))
      case .elements: if let content { skeleton.addPlace(content, number) }
      case .other, nil: try cursor.copy(begin..<cursor.offset, to: &skeleton.bytes)
      }
    }
    guard allowance >= 0 else { throw ImportFault(.tooManyParts) }
    return skeleton.bytes
  }

  /// Where elements are, as it stands in their place.
  static func place(_ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
    guard bytes.count == 16 else { return nil }
    let offset = Int(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)))
    let count = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    return offset..<offset + Int(UInt64(littleEndian: count))
  }
}

/// The bytes of a message under construction.
private struct Skeleton {
  var bytes: [UInt8] = []

  private static let lengthBytes = 5

  /// - Returns: where the message's content begins.
  mutating func beginMessage(_ number: UInt32) -> Int {
    addTag(number)
    bytes.append(contentsOf: repeatElement(0, count: Skeleton.lengthBytes))
    return bytes.count
  }

  /// Fills in the length, with as many bytes as were left for it.
  mutating func endMessage(from start: Int) {
    var length = bytes.count - start
    for index in start - Skeleton.lengthBytes..<start {
      bytes[index] = UInt8(length & 0x7F) | (index + 1 < start ? 0x80 : 0)
      length >>= 7
    }
  }

  mutating func addPlace(_ place: Range<Int>, _ number: UInt32) {
    addTag(number)
    bytes.append(16)
    for part in [place.lowerBound, place.count] {
      withUnsafeBytes(of: UInt64(part).littleEndian) { bytes.append(contentsOf: $0) }
    }
  }

  /// The tag of a field with a length.
  private mutating func addTag(_ number: UInt32) {
    var rest = number << 3 | 2
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// Reads fields of the protocol buffers wire format from a file, of which it holds a small part.
private struct WireCursor {
  var offset = 0
  private let file: InputFile
  private var window: [UInt8] = []
  private var windowStart = 0

  private static let windowLength = 1 << 14

  init(_ file: InputFile) { self.file = file }

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

  /// Appends a range of the file.
  mutating func copy(_ range: Range<Int>, to bytes: inout [UInt8]) throws(ImportFault) {
    var start = range.lowerBound
    while start < range.upperBound {
      try load(start)
      let first = start - windowStart
      let count = min(window.count - first, range.upperBound - start)
      bytes.append(contentsOf: window[first..<first + count])
      start += count
    }
  }

  private mutating func skip(_ count: Int, end: Int) throws(ImportFault) {
    guard count <= end - offset else { throw ImportFault(.truncated(offset: offset)) }
    offset += count
  }

  private mutating func varint(end: Int) throws(ImportFault) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<10 {
      guard offset < end else { throw ImportFault(.truncated(offset: offset)) }
      try load(offset)
      let byte = window[offset - windowStart]
      offset += 1
      value |= UInt64(byte & 0x7F) << UInt64(7 * index)
      if byte < 0x80 { return value }
    }
    throw ImportFault(.invalidWireFormat(offset: offset))
  }

  /// Moves the window to a byte of the file, unless it is there.
  private mutating func load(_ position: Int) throws(ImportFault) {
    if position >= windowStart, position < windowStart + window.count { return }
    let count = min(WireCursor.windowLength, file.byteCount - position)
    window = try file.bytes(from: position, count: count)
    windowStart = position
    guard !window.isEmpty else { throw ImportFault(.truncated(offset: position)) }
  }
}
