import BNNTensor

/// A tensor whose numbers were rounded, and by how much.
struct RoundedTensor {
  var tensor: Tensor
  /// The largest change, as a part of the largest magnitude; in rows of int8 of each row's.
  var error: Float
}

extension Tensor {
  /// float32 numbers rounded to what a storage holds; the row of an output is the first dimension.
  ///
  /// - Returns: nil where the storage cannot hold them: a number would become infinite, or changes by
  ///   more than the storage's precision because all of them are too small for it.
  func rounded(to storage: FloatStorage) -> RoundedTensor? {
    let numbers = floats
    switch storage {
    case .float32, .int8Compute: return RoundedTensor(tensor: self, error: 0)
    case .float16: return rounded(numbers, to: .float16, precision: 0x1p-10)
    case .bfloat16: return rounded(numbers, to: .bfloat16, precision: 0x1p-7)
    case .int8: return roundedRows(numbers)
    }
  }

  private func rounded(
    _ numbers: [Float], to type: ElementType, precision: Float
  ) -> RoundedTensor? {
    let rounded = numbers.map { $0.rounded(to: type) }
    guard let error = change(from: numbers[...], to: rounded[...]), error <= precision else {
      return nil
    }
    return RoundedTensor(tensor: Tensor(rounded, shape: shape), error: error)
  }

  private func roundedRows(_ numbers: [Float]) -> RoundedTensor? {
    guard shape.rank >= 2, let rounded = numbers.roundedToBytes(rows: shape[0]) else { return nil }
    let length = numbers.count / shape[0]
    var error: Float = 0
    for start in stride(from: 0, to: numbers.count, by: max(length, 1)) {
      let range = start..<start + length
      error = max(error, change(from: numbers[range], to: rounded[range]) ?? 0)
    }
    return RoundedTensor(tensor: Tensor(rounded, shape: shape), error: error)
  }

  /// nil where a finite number became infinite.
  private func change(from old: ArraySlice<Float>, to new: ArraySlice<Float>) -> Float? {
    var largest: Float = 0
    var difference: Float = 0
    for (a, b) in zip(old, new) where a.isFinite {
      guard b.isFinite else { return nil }
      largest = max(largest, a.magnitude)
      difference = max(difference, (a - b).magnitude)
    }
    return largest == 0 ? 0 : difference / largest
  }
}
