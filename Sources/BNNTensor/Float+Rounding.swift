extension Float {
  /// The nearest value of a 16-bit float type, ties to even; unchanged for any other type.
  package func rounded(to type: ElementType) -> Float {
    switch type {
    case .float16: roundedToHalf
    case .bfloat16: roundedToBrain
    default: self
    }
  }

  /// IEEE binary16: 11 significant bits, exponents −14…15, subnormal below.
  private var roundedToHalf: Float {
    guard isFinite, self != 0 else { return self }
    let quantum = Float(sign: .plus, exponent: Swift.max(exponent, -14) - 10, significand: 1)
    // Scaling by a power of two is exact here, so that only `rounded` rounds.
    let result = (self / quantum).rounded(.toNearestOrEven) * quantum
    return result.magnitude > 65504 ? Float(signOf: self, magnitudeOf: .infinity) : result
  }

  /// bfloat16: the upper half of a float32.
  private var roundedToBrain: Float {
    guard !isNaN else { return self }
    let bits = bitPattern
    return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
  }
}

extension [Float] {
  /// Each row's numbers as multiples, from −127 to 127, of a 127th of the row's largest magnitude; ties
  /// to even, and without a zero of its own for negative numbers.
  ///
  /// - Parameter rows: how many rows of one length there are; it divides the count.
  /// - Returns: nil where a number is not finite or a row's scale is no normal number.
  package func roundedToBytes(rows: Int) -> [Float]? {
    guard rows > 0 else { return nil }
    let length = count / rows
    var rounded = self
    for row in 0..<rows {
      let range = row * length..<(row + 1) * length
      let largest = self[range].reduce(Float(0)) { $1.isNaN ? $1 : Swift.max($0, $1.magnitude) }
      guard largest.isFinite else { return nil }
      guard largest > 0 else {
        for index in range { rounded[index] = 0 }
        continue
      }
      let scale = largest / 127
      guard scale.isNormal else { return nil }
      for index in range {
        let multiple = (self[index] / scale).rounded(.toNearestOrEven)
        rounded[index] = Swift.min(Swift.max(multiple, -127), 127) * scale + 0
      }
    }
    return rounded
  }
}

extension Int64 {
  /// What is left of the number in an integer type that wraps around. `uint64` is kept by bit
  /// pattern, as in `Tensor`.
  package func narrowed(to type: ElementType) -> Int64 {
    switch type {
    case .int8: Int64(Int8(truncatingIfNeeded: self))
    case .int16: Int64(Int16(truncatingIfNeeded: self))
    case .int32: Int64(Int32(truncatingIfNeeded: self))
    case .uint8: Int64(UInt8(truncatingIfNeeded: self))
    case .uint16: Int64(UInt16(truncatingIfNeeded: self))
    case .uint32: Int64(UInt32(truncatingIfNeeded: self))
    default: self
    }
  }

  /// The nearest value of an integer type.
  package func clamped(to type: ElementType) -> Int64 {
    guard let range = type.integerRange else { return self }
    return Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
