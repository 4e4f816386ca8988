/// Reads what a ``BitWriter`` wrote and never past the end of the bytes.
struct BitReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  /// The first byte of which no bit is in the window yet.
  private var position: Int
  /// Bits that come next, the first one least significant.
  private var window: UInt64 = 0
  private var available = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) {
    self.bytes = bytes
    self.position = position
  }

  private mutating func fill() {
    while available <= 56, position < bytes.count {
      window |= UInt64(bytes[position]) << UInt64(available)
      position += 1
      available += 8
    }
  }

  private mutating func skip(_ count: Int) {
    window >>= UInt64(count)
    available -= count
  }

  /// A number of at most 32 bits.
  mutating func bits(_ count: Int) throws(FormatError.CodingProblem) -> Int {
    if available < count { fill() }
    guard available >= count else { throw .tooShort }
    let value = Int(truncatingIfNeeded: window & (1 << UInt64(count) - 1))
    skip(count)
    return value
  }

  mutating func unary(atMost limit: Int) throws(FormatError.CodingProblem) -> Int {
    var zeros = 0
    while true {
      if available == 0 { fill() }
      guard available > 0 else { throw .tooShort }
      let run = min(window.trailingZeroBitCount, available)
      zeros += run
      guard zeros <= limit else { throw .numberTooLarge }
      guard run == available else {
        skip(run + 1)
        return zeros
      }
      skip(run)
    }
  }

  mutating func rice(
    parameter: Int, atMost limit: Int
  ) throws(FormatError.CodingProblem) -> Int {
    let quotient = try unary(atMost: limit >> parameter)
    return quotient << parameter | (try bits(parameter))
  }

  mutating func exponentialGolomb(parameter: Int) throws(FormatError.CodingProblem) -> Int {
    let width = try unary(atMost: 31)
    let quotient = (1 << width | (try bits(width))) - 1
    return quotient << parameter | (try bits(parameter))
  }

  /// Where the next byte starts; the bits before it MUST be 0.
  mutating func finish() throws(FormatError.CodingProblem) -> Int {
    let rest = available % 8
    guard window & (1 << UInt64(rest) - 1) == 0 else { throw .unusedBits }
    return position - available / 8
  }
}
