/// The fixed numbers of the file format. `docs/format.md` is the specification.
public enum FileLayout {
  /// The first byte is not ASCII, and both line ends are there: what changes text is noticed.
  static let magic: [UInt8] = [0x89, 0x42, 0x4E, 0x4E, 0x0D, 0x0A, 0x1A, 0x0A]
  /// The version that the writer writes and the reader reads.
  public static let version: UInt32 = 1
  static let byteOrderMark: UInt32 = 0x0A0B_0C0D
  static let headerLength = 64
  static let tableEntryLength = 32
  static let maximumSections: UInt32 = 64
  /// Sections, and tensors in the section of weights, start at multiples of this.
  static let alignment = 64
  /// Tensors in the section of parameters start at multiples of this.
  static let parameterAlignment = 4

  /// Coded tensors become at most so many bytes, and so many for each byte of the file.
  static let decodedBytes = 1 << 26
  static let decodedBytesPerByte = 256

  static let maximumLength: UInt64 = 1 << 32
  static let maximumStringLength = 4096
  static let maximumRank = 8
  static let maximumElements = 1 << 30
  /// Integers up to this are exact in float32, which accumulators are converted to.
  static let maximumProducts = 1 << 24
  /// So many products of a byte and a weight of one byte fit into 32 bits: 2¹⁶ · 255 · 127 < 2³¹.
  package static let maximumByteProducts = 1 << 16
}

extension Int {
  /// The next multiple of `alignment` that is not smaller.
  func roundedUp(to alignment: Int) -> Int { (self + alignment - 1) / alignment * alignment }
}
