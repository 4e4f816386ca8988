import BNNGraph
import BNNTensor

/// Products of quantized numbers: exact sums of integers, scaled where the operator says so.
extension OnnxOperator {
  static let integerProducts: [String: OnnxOperator] = [
    "MatMulInteger": OnnxOperator(2...4) { (node) throws(ImportFault) in
      let sums = try integerProduct(node, factors: (0, 1), zeros: (2, 3))
      try node.emit(.identity(Identity()), [sums])
    },
    "QLinearMatMul": OnnxOperator(8...8, build: quantizedProduct),
    "ConvInteger": OnnxOperator(2...4) { (node) throws(ImportFault) in
      let sums = try integerConvolution(node, factors: (0, 1), zeros: (2, 3), bias: nil)
      try node.emit(.cast(Cast(to: .int32)), [sums])
    },
    "QLinearConv": OnnxOperator(8...9, build: quantizedConvolution),
  ]

  // MARK: Matrices

  /// The int32 product of inputs less their zero points. A list of zero points is for the rows of
  /// the first factor, and the columns of the second.
  private static func integerProduct(
    _ node: NodeBuilder, factors: (Int, Int), zeros: (Int, Int)
  ) throws(ImportFault) -> ValueID {
    let a = try node.difference(factors.0, zeros.0, type: .int32, appending: 1)
    let b = try node.difference(factors.1, zeros.1, type: .int32, appending: 0)
    return try node.intermediate(.matMul(MatMul()), [a, b], "sums")
  }

  private static func quantizedProduct(_ node: NodeBuilder) throws(ImportFault) {
    let sums = try integerProduct(node, factors: (0, 3), zeros: (2, 5))
    let aScale = try node.perLine(try node.input(1), appending: 1, "aScale")
    try node.emitRescaled(
      sums, scales: (aScale, try node.input(4)), result: try node.input(6), zero: 7)
  }

  // MARK: Convolutions

  /// The convolution of inputs less their zero points, in a float type in which it is exact.
  private static func integerConvolution(
    _ node: NodeBuilder, factors: (Int, Int), zeros: (Int, Int), bias: Int?
  ) throws(ImportFault) -> ValueID {
    let type = node.exactType(weights: factors.1, zeros: zeros.1, bias: bias)
    let rank = try node.extents(try node.input(factors.1)).count
    let x = try node.difference(factors.0, zeros.0, type: type, appending: 0)
    let weights = try node.difference(factors.1, zeros.1, type: type, appending: rank - 1)
    var inputs: [ValueID?] = [x, weights]
    if let bias, let value = node.optionalInput(bias) {
      inputs.append(try node.cast(value, to: type, "bias"))
    }
    let geometry = try geometry(of: node, weights: factors.1)
    return try node.intermediate(
      .convolution(Convolution(geometry: geometry)), inputs, "sums")
  }

  private static func quantizedConvolution(_ node: NodeBuilder) throws(ImportFault) {
    let sums = try integerConvolution(node, factors: (0, 3), zeros: (2, 5), bias: 8)
    let rank = try node.extents(sums).count
    let scale = try node.perLine(try node.input(4), appending: rank - 2, "weightScale")
    try node.emitRescaled(
      sums, scales: (try node.input(1), scale), result: try node.input(6), zero: 7)
  }
}

extension NodeBuilder {
  /// A factor less its zero point, in a type that holds the difference.
  fileprivate func difference(
    _ factor: Int, _ zero: Int, type: ElementType, appending count: Int
  ) throws(ImportFault) -> ValueID {
    let value = try cast(try input(factor), to: type, "factor\(factor)")
    guard let zero = optionalInput(zero) else { return value }
    let aligned = try perLine(zero, appending: count, "zero\(factor)")
    return try binary(
      .subtract, value, try cast(aligned, to: type, "zero\(factor)/\(type)"),
      "difference\(factor)")
  }

  /// A list with dimensions appended; a single number as it is.
  fileprivate func perLine(
    _ value: ValueID, appending count: Int, _ label: String
  ) throws(ImportFault) -> ValueID {
    let extents = try extents(value)
    guard extents.count == 1 else { return value }
    if extents == [1] { return try reshape(value, [], label) }
    return try appendingAxes(value, count: count, label)
  }

  /// sums · (a · b / result) quantized as the first output.
  fileprivate func emitRescaled(
    _ sums: ValueID, scales: (ValueID, ValueID), result: ValueID, zero: Int
  ) throws(ImportFault) {
    let real = assembly.elementType(result) ?? .float32
    let product = try binary(.multiply, scales.0, scales.1, "scales")
    let scale = try binary(
      .divide, product, try perLine(result, appending: 0, "resultScale"), "scale")
    let quotient = try binary(.multiply, try cast(sums, to: real, "real"), scale, "quotient")
    let point = try cast(
      try perLine(try input(zero), appending: 0, "resultZero"), to: real, "resultZero/real")
    try emitQuantized(
      quotient,
      QuantizationParameters(scale: scale, zero: point, type: elementType(zero) ?? .uint8))
  }

  /// The smallest float type in which the sums of a convolution of 8-bit numbers are exact: float32
  /// counts to 2^24. Its weights and zero points may be known.
  fileprivate func exactType(weights: Int, zeros: Int, bias: Int?) -> ElementType {
    guard let tensor = known(weights), let channels = tensor.shape.dimensions.first, channels > 0,
      bias.map({ optionalInput($0) == nil || known($0) != nil }) ?? true,
      optionalInput(zeros) == nil || known(zeros) != nil
    else { return .float64 }
    let margin = largest(known(zeros))
    let taps = tensor.count / channels
    let weights = tensor.integers.map { abs(Double($0)) + margin }
    var bound = 0.0
    for channel in 0..<channels {
      let sum = weights[channel * taps..<(channel + 1) * taps].reduce(0, +)
      bound = max(bound, sum * 255)
    }
    return bound + largest(bias.flatMap { known($0) }) <= 0x1p24 ? .float32 : .float64
  }

  /// The largest magnitude; 0 of nothing.
  private func largest(_ tensor: Tensor?) -> Double {
    tensor?.integers.map { abs(Double($0)) }.max() ?? 0
  }
}
