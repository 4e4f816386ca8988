/// Appends the format's primitive fields.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

  mutating func fixed<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func float(_ value: Float) { fixed(value.bitPattern) }

  /// Seven bits per byte, least significant first; the top bit says that more follow.
  mutating func integer(_ value: Int) {
    var rest = UInt64(value)
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func integers(_ values: [Int]) {
    integer(values.count)
    for value in values { integer(value) }
  }

  /// 2n for n ≥ 0 and −2n − 1 for n < 0. The magnitude is below 2⁶¹.
  mutating func signedInteger(_ value: Int) { integer(value >= 0 ? 2 * value : -2 * value - 1) }

  mutating func string(_ text: String) {
    integer(text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }

  mutating func raw(_ more: some Collection<UInt8>) { bytes.append(contentsOf: more) }

  mutating func pad(to alignment: Int) {
    let length = bytes.count.roundedUp(to: alignment)
    bytes.append(contentsOf: repeatElement(0, count: length - bytes.count))
  }
}
