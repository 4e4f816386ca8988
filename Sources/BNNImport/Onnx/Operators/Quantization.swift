import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let quantization: [String: OnnxOperator] = [
    "QuantizeLinear": OnnxOperator(2...3, since: 10, build: quantize),
    "DequantizeLinear": OnnxOperator(2...3, since: 10, build: dequantize),
    "DynamicQuantizeLinear": OnnxOperator(1...1, build: dynamicQuantize),
  ]

  private static func quantize(_ node: NodeBuilder) throws(ImportFault) {
    // What happens beyond the range of 8-bit floats, which are no type here.
    node.ignore("saturate")
    let type = try node.elementTypeAttribute("output_dtype") ?? node.elementType(2) ?? .uint8
    let given = try node.input(0)
    var x = given
    if try node.elementTypeAttribute("precision") != nil || node.elementType(0)?.isInteger ?? true {
      let precision = try node.elementTypeAttribute("precision") ?? node.elementType(1)
      x = try node.cast(given, to: precision ?? .float32, "real")
    }
    let (scale, zero) = try node.quantizationParameters(of: x)
    let real = node.assembly.elementType(x) ?? .float32
    let parameters = QuantizationParameters(
      scale: try node.cast(scale, to: real, "scale/real"),
      zero: try node.castIfPresent(zero, to: real, "zero/real"), type: type)
    let quotient = try node.binary(.divide, x, parameters.scale, "quotient")
    try node.emitQuantized(quotient, parameters)
  }

  /// (x − zero) · scale
  private static func dequantize(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let (scale, zero) = try node.quantizationParameters(of: x)
    let real = node.elementType(1) ?? .float32
    let type = try node.elementTypeAttribute("output_dtype") ?? real
    var difference = try node.cast(x, to: real, "real")
    if let zero = try node.castIfPresent(zero, to: real, "zero/real") {
      difference = try node.binary(.subtract, difference, zero, "difference")
    }
    let product = Op.elementwiseBinary(ElementwiseBinary(kind: .multiply))
    guard type != real else { return try node.emit(product, [difference, scale]) }
    let result = try node.intermediate(product, [difference, scale], "product")
    try node.emit(.cast(Cast(to: type)), [result])
  }

  /// Quantizes to uint8 by the range of the values, which is made to include 0. Outputs: the
  /// result, scale, zero.
  private static func dynamicQuantize(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let zero = try node.scalar(0, like: x, "0")
    let top = try node.scalar(255, like: x, "255")
    func extremum(
      _ kind: Reduce.Kind, _ binary: ElementwiseBinary.Kind, _ label: String
    ) throws(ImportFault) -> ValueID {
      let reduce = Op.reduce(Reduce(kind: kind, keepDimensions: false))
      let value = try node.intermediate(reduce, [x], label)
      return try node.binary(binary, value, zero, "\(label)/0")
    }
    let lowest = try extremum(.minimum, .minimum, "minimum")
    let highest = try extremum(.maximum, .maximum, "maximum")
    let range = try node.binary(.subtract, highest, lowest, "range")
    let scale = try node.binary(.divide, range, top, "scale")
    let offset = try node.binary(
      .subtract, zero, try node.binary(.divide, lowest, scale, "lowest"), "offset")
    let clipped = try node.intermediate(.clip(Clip()), [offset, zero, top], "clipped")
    let rounded = try node.unary(.roundHalfToEven, clipped, "rounded")
    let parameters = QuantizationParameters(scale: scale, zero: rounded, type: .uint8)
    try node.emitQuantized(try node.binary(.divide, x, scale, "quotient"), parameters)
    try node.emit(.identity(Identity()), [scale], output: 1)
    try node.emit(.cast(Cast(to: .uint8)), [rounded], output: 2)
  }
}

/// How real numbers become integers: scale and zero point are real, and broadcast to the value.
struct QuantizationParameters {
  var scale: ValueID
  var zero: ValueID?
  var type: ElementType
}

extension NodeBuilder {
  /// round(quotient) + zero, saturated, as the first output.
  func emitQuantized(
    _ quotient: ValueID, _ parameters: QuantizationParameters
  ) throws(ImportFault) {
    guard let range = parameters.type.integerRange, parameters.type.bitWidth <= 16 else {
      throw fault(.unsupportedElementType(parameters.type.rawValue))
    }
    var result = try unary(.roundHalfToEven, quotient, "rounded")
    if let zero = parameters.zero { result = try binary(.add, result, zero, "moved") }
    let lower = try scalar(Double(range.lowerBound), like: result, "lower")
    let upper = try scalar(Double(range.upperBound), like: result, "upper")
    result = try intermediate(.clip(Clip()), [result, lower, upper], "clipped")
    try emit(.cast(Cast(to: parameters.type)), [result])
  }

  func castIfPresent(
    _ value: ValueID?, to type: ElementType, _ label: String
  ) throws(ImportFault) -> ValueID? {
    guard let value else { return nil }
    return try cast(value, to: type, label)
  }

  /// Scale and zero point, inputs 1 and 2, in a shape that broadcasts to x: one number, one per
  /// position of an axis, or one per block of positions.
  fileprivate func quantizationParameters(
    of x: ValueID
  ) throws(ImportFault) -> (scale: ValueID, zero: ValueID?) {
    let axis = try integer("axis") ?? 1
    let blockSize = try integer("block_size") ?? 0
    let extents = try extents(x)
    func aligned(_ index: Int) throws(ImportFault) -> ValueID? {
      guard let value = optionalInput(index) else { return nil }
      let own = try self.extents(value)
      if blockSize != 0 {
        return try repeated(value, extents, axis: axis, blockSize: blockSize, "blocks\(index)")
      }
      guard own.count == 1, own != [1] else { return value }
      let axis = try self.axis(axis, rank: extents.count)
      return try appendingAxes(value, count: extents.count - 1 - axis, "aligned\(index)")
    }
    return (try required("scale", try aligned(1)), try aligned(2))
  }

  /// Each position along an axis as often as a block is long.
  private func repeated(
    _ value: ValueID, _ extents: [Int?], axis: Int, blockSize: Int, _ label: String
  ) throws(ImportFault) -> ValueID {
    let axis = try self.axis(axis, rank: extents.count)
    let length = try fixed(extents, axis)
    guard blockSize >= 1, length <= 1 << 24 else {
      throw invalid("block_size", "\(blockSize)", "a positive number")
    }
    let indices = try constant((0..<length).map { $0 / blockSize }, "\(label)/indices")
    return try intermediate(.gather(Gather(axis: axis)), [value, indices], label)
  }
}
