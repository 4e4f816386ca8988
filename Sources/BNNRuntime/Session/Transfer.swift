import BNNTensor

extension Buffer {
  /// Copies a slice of an input into the value's place. Other numbers become float32 where the
  /// value is that.
  func load(_ tensor: Tensor, _ slice: BatchRequest.Slice, _ execution: Execution) {
    guard count > 0 else { return }
    let first = slice.firstElement(of: tensor.count)
    switch (tensor.storage, type) {
    case (.sign(let packed), _): loadBits(packed, from: first, execution)
    case (.float(let list), _): copy(list, from: first, to: floats(execution))
    case (.double(let list), _): load(list, first, floats(execution)) { Float($0) }
    case (.bool(let list), .bool): copy(list, from: first, to: elements(Bool.self, execution))
    case (.bool(let list), _): load(list, first, floats(execution)) { $0 ? 1 : 0 }
    case (.integer(let list), .int64):
      copy(list, from: first, to: elements(Int64.self, execution))
    case (.integer(let list), .int32):
      load(list, first, elements(Int32.self, execution)) { Int32(truncatingIfNeeded: $0) }
    case (.integer(let list), _): load(list, first, floats(execution)) { Float($0) }
    }
  }

  /// Copies a constant into the value's place.
  func fill(_ tensor: Tensor, _ execution: Execution) {
    load(tensor, BatchRequest.Slice(batch: 1, start: 0, total: 1), execution)
  }

  private func copy<T: BitwiseCopyable>(
    _ list: [T], from first: Int, to target: UnsafeMutablePointer<T>
  ) {
    list.withUnsafeBufferPointer {
      if let from = $0.baseAddress { target.update(from: from + first, count: count) }
    }
  }

  private func load<T, R: BitwiseCopyable>(
    _ list: [T], _ first: Int, _ target: UnsafeMutablePointer<R>, _ convert: (T) -> R
  ) {
    for at in 0..<count { target[at] = convert(list[first + at]) }
  }

  private func loadBits(_ packed: PackedTensor, from first: Int, _ execution: Execution) {
    let to = bits(execution)
    packed.bytes.withUnsafeBytes { bytes in
      for row in 0..<rows {
        for word in 0..<words {
          let bit = first + row * channels + word * 64
          to[row * words + word] = bytes.bits(from: bit, count: min(64, channels - word * 64))
        }
      }
    }
  }

  /// Copies the value into its slice of an output of the same type. The bits of an output are 0
  /// before.
  func store(to tensor: inout Tensor, _ slice: BatchRequest.Slice, _ execution: Execution) {
    guard count > 0 else { return }
    let first = slice.firstElement(of: tensor.count)
    tensor.updateStorage { storage in
      // Lists are taken out of the storage, so that they are changed in place.
      switch storage {
      case .float(var list):
        storage = .float([])
        copy(floats(execution), to: &list, at: first)
        storage = .float(list)
      case .bool(var list):
        storage = .float([])
        copy(elements(Bool.self, execution), to: &list, at: first)
        storage = .bool(list)
      case .integer(var list):
        storage = .float([])
        if type == .int64 {
          copy(elements(Int64.self, execution), to: &list, at: first)
        } else {
          let from = elements(Int32.self, execution)
          for at in 0..<count { list[first + at] = Int64(from[at]) }
        }
        storage = .integer(list)
      case .sign(var packed):
        storage = .float([])
        packed.withMutableBytes { storeBits(to: $0, at: first, execution) }
        storage = .sign(packed)
      case .double: break
      }
    }
  }

  private func storeBits(
    to bytes: UnsafeMutableBufferPointer<UInt8>, at first: Int, _ execution: Execution
  ) {
    let from = bits(execution)
    for row in 0..<rows {
      for word in 0..<words {
        var bit = first + row * channels + word * 64
        var rest = from[row * words + word]
        // The bits after the last element of a row are 0.
        while rest != 0 {
          let shift = bit & 7
          bytes[bit >> 3] |= UInt8(truncatingIfNeeded: rest << UInt64(shift))
          rest >>= UInt64(8 - shift)
          bit += 8 - shift
        }
      }
    }
  }

  private func copy<T: BitwiseCopyable>(
    _ source: UnsafeMutablePointer<T>, to list: inout [T], at first: Int
  ) {
    list.withUnsafeMutableBufferPointer {
      if let to = $0.baseAddress { (to + first).update(from: source, count: count) }
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Up to 64 bits from any bit on, the first one lowest.
  fileprivate func bits(from bit: Int, count: Int) -> UInt64 {
    var result: UInt64 = 0
    var filled = -(bit & 7)
    var byte = bit >> 3
    while filled < count {
      let bits = UInt64(self[byte])
      result |= filled < 0 ? bits >> UInt64(-filled) : bits << UInt64(filled)
      filled += 8
      byte += 1
    }
    return count == 64 ? result : result & (1 << UInt64(count) - 1)
  }
}
