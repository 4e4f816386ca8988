/// CRC-32C (Castagnoli: reflected polynomial 0x82F63B78, initial and final value all ones). Finds
/// every change of one bit and every burst of up to 32 bits.
enum Checksum {
  /// Table k holds the effect of a byte that k more bytes follow: sixteen bytes per step.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 16 * 256)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
      tables[byte] = remainder
    }
    for index in 256..<(16 * 256) {
      let before = tables[index - 256]
      tables[index] = before >> 8 ^ tables[Int(before & 255)]
    }
    return tables
  }()

  static func crc32c(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBytes { raw in
      tables.withUnsafeBufferPointer { crc32c(raw, tables: $0) }
    }
  }

  private static func crc32c(
    _ raw: UnsafeRawBufferPointer, tables: UnsafeBufferPointer<UInt32>
  ) -> UInt32 {
    var crc = UInt32.max
    var position = 0
    func word(_ position: Int) -> UInt64 {
      UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }
    while position + 16 <= raw.count {
      let (first, second) = (word(position) ^ UInt64(crc), word(position + 8))
      crc = 0
      // Those of the second word wait for nothing.
      for k in 0..<8 { crc ^= tables[(7 - k) * 256 + Int(second >> UInt64(8 * k) & 255)] }
      for k in 0..<8 { crc ^= tables[(15 - k) * 256 + Int(first >> UInt64(8 * k) & 255)] }
      position += 16
    }
    while position < raw.count {
      crc = crc >> 8 ^ tables[Int((crc ^ UInt32(raw[position])) & 255)]
      position += 1
    }
    return ~crc
  }
}
