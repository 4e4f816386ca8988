import BNNTensor

extension StoredTensor {
  /// The raw tensor in the coding that takes the fewest bytes: itself, where no other takes fewer.
  func smallest(of codings: [Coding]) -> StoredTensor {
    var best = self
    for coding in codings where coding.codes(kind, dimensions) {
      guard let bytes = encoded(coding, below: best.bytes.count) else { continue }
      if bytes.count < best.bytes.count {
        best.coding = coding
        best.bytes = bytes[...]
      }
    }
    return best
  }

  /// The bytes of a coding; nil where it cannot hold the elements exactly. Codings that surely take
  /// `limit` bytes or more may be left out.
  private func encoded(_ coding: Coding, below limit: Int) -> [UInt8]? {
    switch coding {
    case .raw: return nil
    case .planes: return BytePlanes.encoded(planes, below: limit)
    case .float16:
      return RealCodings.float16(words()).flatMap {
        BytePlanes.encoded(BytePlanes.split($0), below: limit)
      }
    case .bfloat16:
      return RealCodings.bfloat16(words()).flatMap {
        BytePlanes.encoded(BytePlanes.split($0), below: limit)
      }
    case .int8Rows:
      guard let rows = RealCodings.int8Rows(words(), rows: dimensions[0]) else { return nil }
      return BytePlanes.encoded(BytePlanes.split(rows.scales) + [rows.bytes], below: limit)
    case .int8: return narrowed(to: Int8.self).flatMap { BytePlanes.encoded($0, below: limit) }
    case .int16: return narrowed(to: Int16.self).flatMap { BytePlanes.encoded($0, below: limit) }
    case .int32: return narrowed(to: Int32.self).flatMap { BytePlanes.encoded($0, below: limit) }
    case .kernels:
      guard let layout = KernelSymbols(dimensions) else { return nil }
      return bytes.withUnsafeBufferPointer { SignCodings.kernels($0, layout, below: limit) }
    case .positions:
      let count = Shape(dimensions).count
      return bytes.withUnsafeBufferPointer {
        SignCodings.positions($0, count: count, below: limit)
      }
    }
  }

  /// The planes of a raw tensor.
  var planes: [[UInt8]] {
    switch kind {
    case .sign, .bool, .int8: [Array(bytes)]
    case .float32, .int32: BytePlanes.split(words() as [UInt32])
    case .int64: BytePlanes.split(words() as [UInt64])
    }
  }

  /// The planes of integers that all fit into a shorter type.
  private func narrowed<Narrow: FixedWidthInteger & SignedInteger>(
    to type: Narrow.Type
  ) -> [[UInt8]]? {
    func planes<Wide: FixedWidthInteger & SignedInteger>(_ wide: [Wide]) -> [[UInt8]]? {
      guard wide.allSatisfy({ Narrow(exactly: $0) != nil }) else { return nil }
      return (0..<(Narrow.bitWidth / 8)).map { plane in
        wide.map { UInt8(truncatingIfNeeded: $0 >> Wide(8 * plane)) }
      }
    }
    return kind == .int64 ? planes(words() as [Int64]) : planes(words() as [Int32])
  }
}
