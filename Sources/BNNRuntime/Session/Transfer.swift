import BNNTensor

/// An input's elements as they are copied into the arena.
struct InputSource {
  let shape: Shape
  fileprivate let storage: Storage

  fileprivate enum Storage {
    case floats([Float])
    /// Dense bits in words.
    case bits([UInt64])
  }

  init(_ tensor: Tensor) {
    shape = tensor.shape
    if let packed = tensor.packed {
      var words = [UInt64](repeating: 0, count: (packed.bytes.count + 7) / 8)
      words.withUnsafeMutableBytes { $0.copyBytes(from: packed.bytes) }
      storage = .bits(words)
    } else {
      storage = .floats(tensor.floats)
    }
  }
}

/// An output's elements as they are copied from the arena.
struct OutputSink {
  let shape: Shape
  fileprivate var storage: Storage

  fileprivate enum Storage {
    case floats([Float])
    case bits([UInt64])
  }

  init(type: ElementType, shape: Shape) {
    self.shape = shape
    storage =
      type == .sign
      ? .bits([UInt64](repeating: 0, count: (shape.count + 63) / 64))
      : .floats([Float](repeating: 0, count: shape.count))
  }

  var tensor: Tensor {
    switch storage {
    case .floats(let elements): return Tensor(elements, shape: shape)
    case .bits(let words):
      let bytes = words.withUnsafeBytes {
        Array($0.prefix(PackedTensor.byteCount(of: shape.count)))
      }
      // Bits after the last element are 0: nothing else was copied.
      guard let packed = PackedTensor(shape: shape, bytes: bytes) else {
        return Tensor(PackedTensor(shape: shape) { _ in false })
      }
      return Tensor(packed)
    }
  }
}

extension Buffer {
  /// Copies a slice of an input into the value's place.
  func load(_ source: InputSource, _ slice: BatchRequest.Slice, _ execution: Execution) {
    guard count > 0 else { return }
    let first = firstElement(of: slice, total: source.shape.count)
    switch source.storage {
    case .floats(let elements):
      elements.withUnsafeBufferPointer {
        guard let from = $0.baseAddress else { return }
        floats(execution).update(from: from + first, count: count)
      }
    case .bits(let words):
      words.withUnsafeBufferPointer {
        guard let from = $0.baseAddress else { return }
        let to = bits(execution)
        to.update(repeating: 0, count: rows * self.words)
        for row in 0..<rows {
          BitKernel.copy(
            channels, from: from, at: first + row * channels, to: to + row * self.words, at: 0)
        }
      }
    }
  }

  /// Copies the value into its slice of an output.
  func store(to sink: inout OutputSink, _ slice: BatchRequest.Slice, _ execution: Execution) {
    guard count > 0 else { return }
    let first = firstElement(of: slice, total: sink.shape.count)
    switch sink.storage {
    case .floats(var elements):
      sink.storage = .floats([])
      elements.withUnsafeMutableBufferPointer {
        guard let to = $0.baseAddress else { return }
        (to + first).update(from: floats(execution), count: count)
      }
      sink.storage = .floats(elements)
    case .bits(var dense):
      sink.storage = .bits([])
      dense.withUnsafeMutableBufferPointer {
        guard let to = $0.baseAddress else { return }
        for row in 0..<rows {
          BitKernel.copy(
            channels, from: bits(execution) + row * words, at: 0, to: to,
            at: first + row * channels)
        }
      }
      sink.storage = .bits(dense)
    }
  }

  /// Where a slice begins in a value whose whole batch has `total` elements.
  private func firstElement(of slice: BatchRequest.Slice, total: Int) -> Int {
    slice.total == 0 ? 0 : total / slice.total * slice.start
  }
}
