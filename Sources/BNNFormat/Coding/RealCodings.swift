import BNNTensor

/// Shorter forms of float32 numbers, by their bits. Each is nil where not every number comes back
/// bit for bit.
enum RealCodings {
  // MARK: bfloat16: the upper half of a float32

  static func bfloat16(_ words: [UInt32]) -> [UInt16]? {
    guard words.allSatisfy({ $0 & 0xFFFF == 0 }) else { return nil }
    return words.map { UInt16(truncatingIfNeeded: $0 &>> 16) }
  }

  // MARK: float16: IEEE 754 binary16

  static func float16(_ words: [UInt32]) -> [UInt16]? {
    // Without a buffer, which most numbers would not fill.
    guard words.allSatisfy({ expanded(narrowed($0)) == $0 }) else { return nil }
    return words.map(narrowed)
  }

  /// The binary16 of a number that has one; of others, any.
  private static func narrowed(_ word: UInt32) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: word >> 16) & 0x8000
    let exponent = Int(word >> 23 & 0xFF) - 127
    let fraction = word & 0x7F_FFFF
    switch exponent {
    case 128: return sign | 0x7C00 | UInt16(truncatingIfNeeded: fraction >> 13)
    case -14...15:
      return sign | UInt16(exponent + 15) << 10 | UInt16(truncatingIfNeeded: fraction >> 13)
    case -24 ... -15:
      // The leading one is no longer implied.
      let whole = fraction | 0x80_0000
      return sign | UInt16(truncatingIfNeeded: whole >> UInt32(-1 - exponent))
    default: return sign
    }
  }

  /// The float32 of a binary16.
  static func expanded(_ half: UInt16) -> UInt32 {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = UInt32(half >> 10 & 31)
    let fraction = UInt32(half & 0x3FF)
    switch exponent {
    case 31: return sign | 0x7F80_0000 | fraction << 13
    case 0 where fraction == 0: return sign
    case 0:
      // fraction · 2⁻²⁴, with its leading one taken off.
      let leading = UInt32(31 - fraction.leadingZeroBitCount)
      return sign | (leading + 103) << 23 | (fraction << (23 - leading)) & 0x7F_FFFF
    default: return sign | (exponent + 112) << 23 | fraction << 13
    }
  }

  // MARK: int8: a scale per row

  /// Each row's scale, and a byte per number: number = Float(byte) · scale, rounded to float32.
  static func int8Rows(
    _ words: [UInt32], rows: Int
  ) -> (scales: [UInt32], bytes: [UInt8])? {
    guard rows > 0, words.count % rows == 0 else { return nil }
    let length = words.count / rows
    var scales: [UInt32] = []
    var bytes: [UInt8] = []
    for row in 0..<rows {
      let words = words[(row * length)..<((row + 1) * length)]
      guard let (scale, row) = int8Row(words) else { return nil }
      if bytes.isEmpty { bytes.reserveCapacity(rows * length) }
      scales.append(scale.bitPattern)
      bytes += row
    }
    return (scales, bytes)
  }

  /// Looks for a scale that makes the largest number the byte 127, 126, … or 128.
  private static func int8Row(_ words: ArraySlice<UInt32>) -> (Float, [UInt8])? {
    let largest = words.reduce(Float(0)) { max($0, Float(bitPattern: $1).magnitude) }
    guard largest.isFinite else { return nil }
    guard largest > 0 else { return bytes(words, scale: 0).map { (0, $0) } }
    for divisor in Array((1...127).reversed()) + [128] {
      let scale = largest / Float(divisor)
      // A quotient is rounded: the scale may be one of its neighbours.
      for scale in [scale, scale.nextDown, scale.nextUp] {
        if let bytes = bytes(words, scale: scale) { return (scale, bytes) }
      }
    }
    return nil
  }

  private static func bytes(_ words: ArraySlice<UInt32>, scale: Float) -> [UInt8]? {
    var bytes: [UInt8] = []
    for word in words {
      let byte = scale == 0 ? 0 : (Float(bitPattern: word) / scale).rounded()
      // Also NaN leaves the range.
      guard byte >= -128, byte <= 127, (byte * scale + 0).bitPattern == word else { return nil }
      if bytes.isEmpty { bytes.reserveCapacity(words.count) }
      bytes.append(UInt8(bitPattern: Int8(byte)))
    }
    return bytes
  }

  static func expanded(scales: [UInt32], bytes: [UInt8]) -> [UInt32] {
    guard !scales.isEmpty else { return [] }
    let length = bytes.count / scales.count
    var words = [UInt32](repeating: 0, count: bytes.count)
    for (row, scale) in scales.enumerated() {
      let scale = Float(bitPattern: scale)
      for index in (row * length)..<((row + 1) * length) {
        words[index] = (Float(Int8(bitPattern: bytes[index])) * scale).bitPattern
      }
    }
    return words
  }
}
