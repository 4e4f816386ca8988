import BNNTensor

/// Weights of one byte, [O, kernel…, C / groups]: element q of output o stands for q · scales[o].
public struct QuantizedWeights: Hashable, Sendable {
  /// From −127 to 127.
  public var elements: [Int8]
  public var shape: Shape
  /// One per output, or one for all.
  public var scales: [Float]

  public init(elements: [Int8], shape: Shape, scales: [Float]) {
    self.elements = elements
    self.shape = shape
    self.scales = scales
  }

  /// The scale of an output's weights.
  package func scale(_ output: Int) -> Float { scales.count == 1 ? scales[0] : scales[output] }

  /// What an integer sum of each output is multiplied with: one number where one holds for all.
  package func factors(_ input: InputQuantization) -> [Float] { scales.map { input.scale * $0 } }
}

/// How the real numbers that a layer reads become bytes: byte b stands for (b − zero) · scale.
///
/// 0 is exactly `zero`, so that padding with it is exact.
public struct InputQuantization: Hashable, Sendable {
  public var scale: Float
  public var zero: UInt8

  public init(scale: Float, zero: UInt8) {
    self.scale = scale
    self.zero = zero
  }

  /// Numbers are multiplied with this rather than divided by the scale.
  package var inverseScale: Float { 1 / scale }

  /// The byte of a number: x · (1 / scale), rounded to float32, then half to even, plus `zero`,
  /// clamped to 0…255. NaN becomes 0.
  package func byte(_ x: Float) -> UInt8 {
    let scaled = x * inverseScale
    guard !scaled.isNaN else { return 0 }
    let whole = min(max(scaled, -Float(zero)), Float(255 - zero)).rounded(.toNearestOrEven)
    return UInt8(Int(whole) + Int(zero))
  }

  /// Scales whose inverse is a normal number too.
  package static let scales: ClosedRange<Float> = 0x1p-126...0x1p126
}

extension QuantizedWeights {
  package func check(_ input: InputQuantization) throws(FormatError.Rule) {
    guard let count = shape.checkedCount, count == elements.count else {
      throw .weightsCount(expected: shape.checkedCount ?? .max, found: elements.count)
    }
    guard !elements.contains(.min) else { throw .weightOutOfRange }
    let outputs = shape.dimensions.first ?? 0
    try checkParameters(scales.count, channels: outputs)
    guard outputs == 0 || count / outputs <= FileLayout.maximumByteProducts else {
      throw .tooManyProducts(count / outputs)
    }
    // A normal factor cannot make a sum that is not 0 a zero of either sign.
    guard InputQuantization.scales.contains(input.scale),
      zip(scales, factors(input)).allSatisfy({ $0 > 0 && $1.isNormal })
    else { throw .quantizationScale }
  }
}
