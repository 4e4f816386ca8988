import BNNTensor

/// An input's elements as they are copied into the arena.
struct InputSource {
  let shape: Shape
  fileprivate let storage: Storage

  fileprivate enum Storage {
    case floats([Float])
    /// Of an int32 or int64.
    case integers([Int64])
    case bools([Bool])
    /// Dense bits in words.
    case bits([UInt64])
  }

  /// - Parameter type: of the model's value; numbers become float32 where it is that.
  init(_ tensor: Tensor, as type: ElementType) {
    shape = tensor.shape
    if let packed = tensor.packed {
      var words = [UInt64](repeating: 0, count: (packed.bytes.count + 7) / 8)
      words.withUnsafeMutableBytes { $0.copyBytes(from: packed.bytes) }
      storage = .bits(words)
      return
    }
    switch type {
    case .int32, .int64: storage = .integers(tensor.integers)
    case .bool: storage = .bools(tensor.bools)
    default: storage = .floats(tensor.floats)
    }
  }
}

/// An output's elements as they are copied from the arena.
struct OutputSink {
  let type: ElementType
  let shape: Shape
  fileprivate var storage: Storage

  fileprivate enum Storage {
    case floats([Float])
    case integers([Int64])
    case bools([Bool])
    case bits([UInt64])
  }

  init(type: ElementType, shape: Shape) {
    self.type = type
    self.shape = shape
    storage =
      switch type {
      case .sign: .bits([UInt64](repeating: 0, count: (shape.count + 63) / 64))
      case .int32, .int64: .integers([Int64](repeating: 0, count: shape.count))
      case .bool: .bools([Bool](repeating: false, count: shape.count))
      default: .floats([Float](repeating: 0, count: shape.count))
      }
  }

  var tensor: Tensor {
    switch storage {
    case .floats(let elements): return Tensor(elements, shape: shape)
    case .integers(let elements): return Tensor(elements, shape: shape, elementType: type)
    case .bools(let elements): return Tensor(elements, shape: shape)
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
    case .floats(let elements): copy(elements, from: first, to: floats(execution))
    case .bools(let elements): copy(elements, from: first, to: self.elements(Bool.self, execution))
    case .integers(let elements) where type == .int64:
      copy(elements, from: first, to: self.elements(Int64.self, execution))
    case .integers(let elements):
      let to = self.elements(Int32.self, execution)
      for at in 0..<count { to[at] = Int32(truncatingIfNeeded: elements[first + at]) }
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

  /// Copies a constant into the value's place.
  func fill(_ tensor: Tensor, _ execution: Execution) {
    load(
      InputSource(tensor, as: type), BatchRequest.Slice(batch: 1, start: 0, total: 1), execution)
  }

  private func copy<T: BitwiseCopyable>(
    _ elements: [T], from first: Int, to target: UnsafeMutablePointer<T>
  ) {
    elements.withUnsafeBufferPointer {
      if let from = $0.baseAddress { target.update(from: from + first, count: count) }
    }
  }

  /// Copies the value into its slice of an output.
  func store(to sink: inout OutputSink, _ slice: BatchRequest.Slice, _ execution: Execution) {
    guard count > 0 else { return }
    let first = firstElement(of: slice, total: sink.shape.count)
    // Taken out of the sink, so that the list is changed in place.
    switch sink.storage {
    case .floats(var list):
      sink.storage = .floats([])
      copy(floats(execution), to: &list, at: first)
      sink.storage = .floats(list)
    case .bools(var list):
      sink.storage = .floats([])
      copy(elements(Bool.self, execution), to: &list, at: first)
      sink.storage = .bools(list)
    case .integers(var list):
      sink.storage = .floats([])
      if type == .int64 {
        copy(elements(Int64.self, execution), to: &list, at: first)
      } else {
        let from = elements(Int32.self, execution)
        for at in 0..<count { list[first + at] = Int64(from[at]) }
      }
      sink.storage = .integers(list)
    case .bits(var dense):
      sink.storage = .floats([])
      storeBits(to: &dense, at: first, execution)
      sink.storage = .bits(dense)
    }
  }

  private func storeBits(to dense: inout [UInt64], at first: Int, _ execution: Execution) {
    dense.withUnsafeMutableBufferPointer {
      guard let to = $0.baseAddress else { return }
      for row in 0..<rows {
        BitKernel.copy(
          channels, from: bits(execution) + row * words, at: 0, to: to, at: first + row * channels)
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

  /// Where a slice begins in a value whose whole batch has `total` elements.
  private func firstElement(of slice: BatchRequest.Slice, total: Int) -> Int {
    slice.total == 0 ? 0 : total / slice.total * slice.start
  }
}
