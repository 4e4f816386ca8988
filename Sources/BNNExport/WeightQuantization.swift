import BNNFormat
import BNNTensor

extension QuantizedWeights {
  /// Weights as bytes: each output's largest magnitude becomes 127, w becomes w / scale rounded half
  /// to even.
  ///
  /// - Returns: nil where a weight is not finite, or the weights of an output are so small that
  ///   their scale is no normal number.
  init?(quantizing weights: [Float], shape: Shape) {
    guard let outputs = shape.dimensions.first, outputs > 0 else { return nil }
    let length = weights.count / outputs
    var elements: [Int8] = []
    elements.reserveCapacity(weights.count)
    var scales: [Float] = []
    for output in 0..<outputs {
      let row = weights[output * length..<(output + 1) * length]
      guard row.allSatisfy(\.isFinite) else { return nil }
      let largest = row.reduce(0) { max($0, $1.magnitude) }
      // Any scale stands for zeros.
      let scale = largest == 0 ? 1 : largest / 127
      guard scale.isNormal else { return nil }
      scales.append(scale)
      for weight in row {
        elements.append(Int8(min(max((weight / scale).rounded(.toNearestOrEven), -127), 127)))
      }
    }
    let isOne = scales.allSatisfy { $0 == scales[0] }
    self.init(elements: elements, shape: shape, scales: isOne ? [scales[0]] : scales)
  }
}

extension InputQuantization {
  /// Bytes for numbers of a range and 0.
  ///
  /// A range that is symmetric gets bytes for both its ends, so that ±1 stay ±1.
  ///
  /// - Returns: nil where no scale is possible.
  init?(range: ClosedRange<Float>) {
    let lower = min(0, Double(range.lowerBound))
    let upper = max(0, Double(range.upperBound))
    let isSymmetric = lower == -upper
    let scale = Float(isSymmetric ? upper / 127 : (upper - lower) / 255)
    guard scale != 0 else {
      self.init(scale: 1, zero: 0)
      return
    }
    guard InputQuantization.scales.contains(scale) else { return nil }
    let zero = isSymmetric ? 128 : (-lower / Double(scale)).rounded(.toNearestOrEven)
    self.init(scale: scale, zero: UInt8(min(max(zero, 0), 255)))
  }
}
