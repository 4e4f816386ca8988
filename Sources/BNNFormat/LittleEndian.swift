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
    // Most machines have them in memory already.
    if Element(1).littleEndian == 1 { return withUnsafeBytes { [UInt8]($0) } }
    return map { $0.littleEndian }.withUnsafeBytes { [UInt8]($0) }
  }
}

extension [Float] {
  /// Numbers that stand one after the other, least significant bytes first.
  init(littleEndian bytes: ArraySlice<UInt8>) {
    let total = bytes.count / MemoryLayout<Float>.size
    self.init(unsafeUninitializedCapacity: total) { elements, count in
      UnsafeMutableRawBufferPointer(elements)
        .copyBytes(from: bytes.prefix(total * MemoryLayout<Float>.size))
      for index in 0..<total {
        let bits = UInt32(littleEndian: elements[index].bitPattern)
        elements[index] = Float(bitPattern: bits)
      }
      count = total
    }
  }
}
