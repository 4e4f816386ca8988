/// Writes messages in the protocol buffers wire format, so that tests can also write wrong ones.
struct Message {
  var bytes: [UInt8] = []

  /// A number in the base-128 encoding.
  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private func appending(_ field: Int, wireType: Int, _ content: [UInt8]) -> Message {
    Message(bytes: bytes + Message.varint(UInt64(field << 3 | wireType)) + content)
  }

  func integer(_ field: Int, _ value: Int64) -> Message {
    appending(field, wireType: 0, Message.varint(UInt64(bitPattern: value)))
  }

  func float(_ field: Int, _ value: Float) -> Message {
    appending(field, wireType: 5, littleEndian([value.bitPattern]))
  }

  func data(_ field: Int, _ content: [UInt8]) -> Message {
    appending(field, wireType: 2, Message.varint(UInt64(content.count)) + content)
  }

  func string(_ field: Int, _ text: String) -> Message { data(field, Array(text.utf8)) }
  func message(_ field: Int, _ inner: Message) -> Message { data(field, inner.bytes) }

  func strings(_ field: Int, _ texts: [String]) -> Message {
    texts.reduce(self) { $0.string(field, $1) }
  }
  func messages(_ field: Int, _ inner: [Message]) -> Message {
    inner.reduce(self) { $0.message(field, $1) }
  }
  func integers(_ field: Int, _ values: [Int64]) -> Message {
    values.reduce(self) { $0.integer(field, $1) }
  }
  func packed(_ field: Int, _ values: [Int64]) -> Message {
    data(field, values.flatMap { Message.varint(UInt64(bitPattern: $0)) })
  }
}

/// The bytes of integers, least significant byte first.
func littleEndian<Integer: FixedWidthInteger>(_ values: [Integer]) -> [UInt8] {
  values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}

func littleEndian(_ values: [Float]) -> [UInt8] { littleEndian(values.map(\.bitPattern)) }
