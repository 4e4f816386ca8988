/// A tensor's coded bytes, taken from front to back.
struct CodedBytes {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func byte() throws(FormatError.CodingProblem) -> UInt8 {
    guard position < bytes.count else { throw .tooShort }
    position += 1
    return bytes[position - 1]
  }

  /// An integer, seven bits per byte, as in records.
  mutating func integer() throws(FormatError.CodingProblem) -> Int {
    var value = 0
    for shift in stride(from: 0, to: 63, by: 7) {
      let next = try byte()
      value |= Int(next & 0x7F) << shift
      guard next & 0x80 == 0 else { continue }
      guard next != 0 || shift == 0 else { throw .integerNotShortest }
      return value
    }
    throw .numberTooLarge
  }

  mutating func take(
    _ count: Int
  ) throws(FormatError.CodingProblem) -> UnsafeBufferPointer<UInt8> {
    guard count <= bytes.count - position else { throw .tooShort }
    position += count
    return UnsafeBufferPointer(rebasing: bytes[(position - count)..<position])
  }

  /// Numbers of some bits; what is behind them starts with the next byte.
  mutating func bits<Value>(
    _ read: (inout BitReader) throws(FormatError.CodingProblem) -> Value
  ) throws(FormatError.CodingProblem) -> Value {
    var reader = BitReader(bytes, at: position)
    let value = try read(&reader)
    position = try reader.finish()
    return value
  }

  /// What is left; as much of it is taken as `read` says.
  mutating func rest(
    _ read: (UnsafeBufferPointer<UInt8>) throws(FormatError.CodingProblem) -> Int
  ) throws(FormatError.CodingProblem) {
    position += try read(UnsafeBufferPointer(rebasing: bytes[position...]))
  }

  func finish() throws(FormatError.CodingProblem) {
    guard position == bytes.count else { throw .bytesLeft(bytes.count - position) }
  }
}
