import BNNTensor

extension FileSummary {
  /// A choice that changes numbers of the model, so that a shorter coding of them is exact.
  public enum Rounding: String, Hashable, Sendable, CaseIterable, Encodable {
    /// Real weights.
    case float16Weights, bfloat16Weights, int8Weights
    /// Scales, biases, slopes and other lists of real numbers.
    case float16Vectors
    /// 3×3 binary kernels, of which 32 different ones are left in each layer.
    case kernelCodebook
  }

  public struct Saving: Hashable, Sendable, Encodable {
    public var rounding: Rounding
    /// Bytes of tensors that the file would have less, padding not counted.
    public var bytes: Int
  }

  /// What each rounding would save in a file that is given by its bytes.
  ///
  /// - Parameter limitingKernels: replaces 3×3 kernels of weights by a few; nil for others.
  package static func savings(
    decoding bytes: [UInt8], limitingKernels: (PackedTensor) -> PackedTensor?
  ) throws(FormatError) -> [Saving] {
    let file = try DecodedFile(decoding: bytes)
    var savings = Rounding.allCases.map { Saving(rounding: $0, bytes: 0) }
    for index in file.store.tensors.indices {
      let part = file.store.part(index)
      guard [.realWeights, .vectors, .binaryWeights].contains(part) else { continue }
      let raw = try file.store.raw(index)
      for choice in savings.indices {
        guard
          let rounded = raw.rounded(
            savings[choice].rounding, part: part, limitingKernels: limitingKernels)
        else { continue }
        // All codings of the tensor as it is were tried when it was written.
        let stored = rounded.smallest(of: StoredTensor.Coding.allCases).bytes.count
        savings[choice].bytes += max(0, file.store.tensors[index].bytes.count - stored)
      }
    }
    return savings.filter { $0.bytes > 0 }
  }
}

extension StoredTensor {
  /// The tensor with rounded numbers; nil where the rounding is not for it.
  fileprivate func rounded(
    _ rounding: FileSummary.Rounding, part: FileSummary.Part,
    limitingKernels: (PackedTensor) -> PackedTensor?
  ) -> StoredTensor? {
    guard part == rounding.part else { return nil }
    if rounding == .kernelCodebook {
      let packed = PackedTensor(shape: Shape(dimensions), bytes: Array(bytes))
      guard let limited = packed.flatMap(limitingKernels) else { return nil }
      var tensor = self
      tensor.bytes = limited.bytes[...]
      return tensor
    }
    guard kind == .float32 else { return nil }
    let numbers = [Float](littleEndian: bytes)
    let rounded: [Float]
    switch rounding {
    case .float16Weights, .float16Vectors: rounded = numbers.map { $0.rounded(to: .float16) }
    case .bfloat16Weights: rounded = numbers.map { $0.rounded(to: .bfloat16) }
    case .int8Weights:
      guard let bytes = numbers.roundedToBytes(rows: dimensions[0]) else { return nil }
      rounded = bytes
    case .kernelCodebook: return nil
    }
    var tensor = self
    tensor.bytes = rounded.map { $0.bitPattern }.littleEndianBytes[...]
    return tensor
  }
}

extension FileSummary.Rounding {
  /// What it is for.
  fileprivate var part: FileSummary.Part {
    switch self {
    case .float16Weights, .bfloat16Weights, .int8Weights: .realWeights
    case .float16Vectors: .vectors
    case .kernelCodebook: .binaryWeights
    }
  }
}
