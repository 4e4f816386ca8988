import BNNTensor

extension FileSummary {
  /// A choice that rounds numbers of the model, so that a shorter coding of them is exact.
  public enum Rounding: String, Hashable, Sendable, CaseIterable, Encodable {
    /// Real weights.
    case float16Weights, bfloat16Weights, int8Weights
    /// Scales, biases, slopes and other lists of real numbers.
    case float16Vectors
  }

  public struct Saving: Hashable, Sendable, Encodable {
    public var rounding: Rounding
    /// Bytes of tensors that the file would have less, padding not counted.
    public var bytes: Int
  }

  /// What each rounding would save in a file that is given by its bytes.
  public static func savings(decoding bytes: [UInt8]) throws(FormatError) -> [Saving] {
    let file = try DecodedFile(decoding: bytes)
    var savings = Rounding.allCases.map { Saving(rounding: $0, bytes: 0) }
    for index in file.store.tensors.indices where file.store.tensors[index].kind == .float32 {
      let raw = try file.store.raw(index)
      for choice in savings.indices {
        guard
          let rounded = raw.rounded(savings[choice].rounding, part: file.store.part(index))
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
    _ rounding: FileSummary.Rounding, part: FileSummary.Part
  ) -> StoredTensor? {
    guard part == (rounding == .float16Vectors ? .vectors : .realWeights) else { return nil }
    let numbers = (words() as [UInt32]).map(Float.init(bitPattern:))
    let rounded: [Float]
    switch rounding {
    case .float16Weights, .float16Vectors: rounded = numbers.map { $0.rounded(to: .float16) }
    case .bfloat16Weights: rounded = numbers.map { $0.rounded(to: .bfloat16) }
    case .int8Weights: rounded = numbers.roundedToBytes(rows: dimensions[0])
    }
    var tensor = self
    tensor.bytes = rounded.map { $0.bitPattern.littleEndian }.withUnsafeBytes { [UInt8]($0) }[...]
    return tensor
  }
}

extension [Float] {
  /// Each row's numbers as multiples of a 127th of its largest.
  fileprivate func roundedToBytes(rows: Int) -> [Float] {
    guard rows > 0 else { return self }
    let length = count / rows
    var rounded = self
    for row in 0..<rows {
      let range = (row * length)..<((row + 1) * length)
      let scale = self[range].reduce(0) { Swift.max($0, $1.magnitude) } / 127
      guard scale > 0, scale.isFinite else { continue }
      for index in range {
        // Without a zero of its own for negative numbers.
        rounded[index] = (self[index] / scale).rounded(.toNearestOrEven) * scale + 0
      }
    }
    return rounded
  }
}
