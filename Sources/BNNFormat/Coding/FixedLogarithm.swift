/// Logarithms to the base 2 in units of 2⁻¹⁶. Integers, so that every machine chooses the same
/// codings.
enum FixedLogarithm {
  static let one = 1 << 16

  /// The logarithm of a positive number, rounded down.
  static func log2(_ number: Int) -> Int {
    let exponent = Int.bitWidth - 1 - number.leadingZeroBitCount
    // From 1 up to 2, with 31 bits after the point. Squaring doubles the logarithm.
    var mantissa =
      exponent > 31 ? UInt64(number >> (exponent - 31)) : UInt64(number) << UInt64(31 - exponent)
    var logarithm = exponent
    for _ in 0..<16 {
      mantissa = (mantissa * mantissa) >> 31
      let carry = mantissa >> 32
      logarithm = logarithm << 1 | Int(carry)
      mantissa >>= carry
    }
    return logarithm
  }

  /// The logarithms of all frequencies; that of 0 is not used.
  static let ofFrequencies: [Int] =
    [0] + (1...(1 << SymbolTable.maximumPrecision)).map(log2)

  /// How many bits symbols carry that occur so often: Σ count · log₂(n / count), the order-0 entropy
  /// times their number n, in units of 2⁻¹⁶.
  static func information(_ counts: [Int]) -> Int {
    let total = counts.reduce(0, +)
    guard total > 0 else { return 0 }
    let whole = log2(total)
    return counts.reduce(0) { sum, count in
      count == 0 ? sum : sum + count * (whole - log2(count))
    }
  }
}
