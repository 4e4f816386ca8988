import BNNTensor

extension StoredTensor {
  /// The tensor in the raw coding.
  ///
  /// - Throws: what is wrong with the coded bytes.
  func decoded() throws(FormatError.CodingProblem) -> StoredTensor {
    guard coding != .raw else { return self }
    var tensor = self
    tensor.coding = .raw
    tensor.bytes = try bytes.withUnsafeBufferPointer {
      (pointer) throws(FormatError.CodingProblem) in
      var bytes = CodedBytes(pointer)
      let raw = try rawBytes(&bytes)
      try bytes.finish()
      return raw[...]
    }
    return tensor
  }

  private func rawBytes(
    _ bytes: inout CodedBytes
  ) throws(FormatError.CodingProblem) -> [UInt8] {
    let count = Shape(dimensions).count
    func planes(_ count: Int, _ width: Int) throws(FormatError.CodingProblem) -> [[UInt8]] {
      try BytePlanes.decode(.init(repeating: count, count: width), from: &bytes)
    }
    func narrow<Narrow: FixedWidthInteger & UnsignedInteger>(
      _ type: Narrow.Type
    ) throws(FormatError.CodingProblem) -> [Narrow] {
      BytePlanes.joined(try planes(count, Narrow.bitWidth / 8)[...])
    }
    switch coding {
    case .raw: return Array(try bytes.take(rawByteCount))
    case .planes:
      switch kind {
      case .sign, .bool, .int8: return try planes(rawByteCount, 1)[0]
      case .float32, .int32: return (try narrow(UInt32.self)).littleEndianBytes
      case .int64: return (try narrow(UInt64.self)).littleEndianBytes
      }
    case .float16: return (try narrow(UInt16.self)).map(RealCodings.expanded).littleEndianBytes
    case .bfloat16: return (try narrow(UInt16.self)).map { UInt32($0) << 16 }.littleEndianBytes
    case .int8Rows:
      let rows = dimensions[0]
      let planes = try BytePlanes.decode([rows, rows, rows, rows, count], from: &bytes)
      return RealCodings.expanded(
        scales: BytePlanes.joined(planes[..<4]), bytes: planes[4]
      ).littleEndianBytes
    case .int8: return widened(try narrow(UInt8.self)) { Int64(Int8(bitPattern: $0)) }
    case .int16: return widened(try narrow(UInt16.self)) { Int64(Int16(bitPattern: $0)) }
    case .int32: return widened(try narrow(UInt32.self)) { Int64(Int32(bitPattern: $0)) }
    case .kernels:
      guard let layout = KernelSymbols(dimensions) else { throw .planes(0) }
      return try SignCodings.kernels(layout, from: &bytes)
    case .positions: return try SignCodings.positions(count: count, from: &bytes)
    }
  }

  private func widened<Narrow>(_ elements: [Narrow], _ value: (Narrow) -> Int64) -> [UInt8] {
    kind == .int64
      ? elements.map { UInt64(bitPattern: value($0)) }.littleEndianBytes
      : elements.map { UInt32(truncatingIfNeeded: value($0)) }.littleEndianBytes
  }
}
