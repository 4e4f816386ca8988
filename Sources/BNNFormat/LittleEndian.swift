extension Array where Element: FixedWidthInteger {
  /// Integers that stand one after the other, least significant bytes first.
  init(littleEndian bytes: ArraySlice<UInt8>) {
    let size = MemoryLayout<Element>.size
    let total = bytes.count / size
    self.init(unsafeUninitializedCapacity: total) { elements, count in
      UnsafeMutableRawBufferPointer(elements).copyBytes(from: bytes.prefix(total * size))
      // Nothing on most machines.
      for index in 0..<total { elements[index] = Element(littleEndian: elements[index]) }
      count = total
    }
  }

  var littleEndianBytes: [UInt8] {
    let elements = map { $0.littleEndian }
    return elements.withUnsafeBytes { [UInt8]($0) }
  }
}
