import BNNTensor

/// Makes the bytes of a `.npy` file, version 1.0.
enum NumPyEncoder {
  static func encode(_ tensor: Tensor) -> [UInt8] {
    let descriptor = descriptor(of: tensor.elementType)
    let extents = tensor.shape.dimensions.map { "\($0)," }.joined(separator: " ")
    // NumPy writes (2, 3), but (2,): the last comma only where there is one extent.
    let shape = tensor.shape.rank > 1 ? String(extents.dropLast()) : extents
    let header = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(shape)), }"
    // The elements begin at a multiple of 64 bytes, after a line feed.
    let padding = 63 - (10 + header.utf8.count) % 64
    let length = header.utf8.count + padding + 1
    var bytes = NumPyHeader.magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8 & 0xFF)]
    bytes.reserveCapacity(10 + length + tensor.byteCount)
    bytes += header.utf8
    bytes += [UInt8](repeating: 0x20, count: padding)
    bytes.append(0x0A)
    append(tensor, to: &bytes)
    return bytes
  }

  private static func descriptor(of type: ElementType) -> String {
    switch type {
    case .float32, .bfloat16: "<f4"
    case .float64: "<f8"
    case .float16: "<f2"
    case .bool: "|b1"
    case .int8, .sign: "|i1"
    case .uint8: "|u1"
    case .int16: "<i2"
    case .uint16: "<u2"
    case .int32: "<i4"
    case .uint32: "<u4"
    case .int64: "<i8"
    case .uint64: "<u8"
    }
  }

  private static func append(_ tensor: Tensor, to bytes: inout [UInt8]) {
    switch tensor.elementType {
    case .float32, .bfloat16: append(tensor.floats, to: &bytes) { $0.bitPattern }
    case .float64: append(tensor.doubles, to: &bytes) { $0.bitPattern }
    case .float16: append(tensor.floats, to: &bytes) { $0.halfBits }
    case .bool: bytes += tensor.bools.map { $0 ? 1 : 0 }
    case .int8, .uint8, .sign:
      append(tensor.integers, to: &bytes) { UInt8(truncatingIfNeeded: $0) }
    case .int16, .uint16: append(tensor.integers, to: &bytes) { UInt16(truncatingIfNeeded: $0) }
    case .int32, .uint32: append(tensor.integers, to: &bytes) { UInt32(truncatingIfNeeded: $0) }
    case .int64, .uint64: append(tensor.integers, to: &bytes) { UInt64(bitPattern: $0) }
    }
  }

  private static func append<Element, Word: FixedWidthInteger>(
    _ elements: [Element], to bytes: inout [UInt8], _ word: (Element) -> Word
  ) {
    for element in elements {
      withUnsafeBytes(of: word(element).littleEndian) { bytes.append(contentsOf: $0) }
    }
  }
}
