/// Appends numbers of some bits: the least significant bit first, from the least significant bit of
/// each byte up.
struct BitWriter {
  private var bytes: [UInt8] = []
  private var pending: UInt64 = 0
  private var pendingCount = 0

  /// The lowest bits of a number, at most 32.
  mutating func bits(_ value: Int, count: Int) {
    pending |=
      (UInt64(truncatingIfNeeded: value) & (1 << UInt64(count) - 1)) << UInt64(pendingCount)
    pendingCount += count
    while pendingCount >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      pendingCount -= 8
    }
  }

  /// A number in unary: so many zeros, then a one.
  mutating func unary(_ value: Int) {
    var zeros = value
    while zeros >= 32 {
      bits(0, count: 32)
      zeros -= 32
    }
    bits(1 << zeros, count: zeros + 1)
  }

  /// A number in the Rice code: its quotient by 2^parameter in unary, then the remainder.
  mutating func rice(_ value: Int, parameter: Int) {
    unary(value >> parameter)
    bits(value, count: parameter)
  }

  /// A number below 2³² − 1 in the exponential Golomb code: the width of ⌊value / 2^parameter⌋ + 1 less
  /// one in unary, that number without its highest bit, then the remainder.
  mutating func exponentialGolomb(_ value: Int, parameter: Int) {
    let width = BitWriter.width(value, parameter: parameter)
    unary(width)
    bits(value >> parameter + 1, count: width)
    bits(value, count: parameter)
  }

  /// The bits that a number takes in the exponential Golomb code.
  static func exponentialGolombBits(_ value: Int, parameter: Int) -> Int {
    2 * width(value, parameter: parameter) + 1 + parameter
  }

  /// The bits of ⌊value / 2^parameter⌋ + 1 less one.
  private static func width(_ value: Int, parameter: Int) -> Int {
    Int.bitWidth - 1 - (value >> parameter + 1).leadingZeroBitCount
  }

  /// All bytes; the bits after the last number are 0.
  consuming func finished() -> [UInt8] {
    if pendingCount > 0 { bits(0, count: 8 - pendingCount) }
    return bytes
  }
}
