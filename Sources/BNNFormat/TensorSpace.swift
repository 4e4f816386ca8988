/// A section of tensor bytes, taken from front to back.
struct TensorSpace {
  let place: StoredTensor.Place
  private let bytes: ArraySlice<UInt8>
  private var offset: Int

  init(_ bytes: ArraySlice<UInt8>, place: StoredTensor.Place) {
    self.bytes = bytes
    self.place = place
    offset = bytes.startIndex
  }

  /// The next tensor's bytes, or nil when they would end after the section.
  mutating func take(_ count: Int, alignment: Int) throws(FormatError) -> ArraySlice<UInt8>? {
    let start = bytes.startIndex + (offset - bytes.startIndex).roundedUp(to: alignment)
    guard start <= bytes.endIndex, count <= bytes.endIndex - start else { return nil }
    if let wrong = bytes[offset..<start].firstIndex(where: { $0 != 0 }) {
      throw .broken(.init(.paddingNotZero, section: place.section, offset: wrong))
    }
    offset = start + count
    return bytes[start..<offset]
  }

  func finish() throws(FormatError) {
    guard offset == bytes.endIndex else {
      throw .broken(
        .init(
          .bytesAfterRecords(count: bytes.endIndex - offset), section: place.section,
          offset: offset))
    }
  }
}
