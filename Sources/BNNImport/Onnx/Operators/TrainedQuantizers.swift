import BNNGraph
import BNNTensor

/// The operators with which Brevitas, QONNX and FINN write quantization-aware training.
extension OnnxOperator {
  /// The domains that they have had.
  static let quantizerDomains: Set<String> = [
    "qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas",
  ]

  static let trainedQuantizers: [String: OnnxOperator] = [
    "BipolarQuant": OnnxOperator(2...2, build: bipolar),
    "Quant": OnnxOperator(4...4, build: uniform),
    "IntQuant": OnnxOperator(4...4, build: uniform),
    "MultiThreshold": OnnxOperator(2...2, build: multiThreshold),
  ]

  /// `scale · (x ≥ 0 ? 1 : −1)`.
  private static func bipolar(_ node: NodeBuilder) throws(ImportFault) {
    let sign = try sign(of: try node.input(0), node)
    try node.emit(
      .elementwiseBinary(ElementwiseBinary(kind: .multiply)), [sign, try node.input(1)])
  }

  /// +1 where x ≥ 0, −1 elsewhere.
  private static func sign(
    of x: ValueID, _ node: NodeBuilder
  ) throws(ImportFault) -> ValueID {
    let test = try node.comparison(
      .greaterOrEqual, x, try node.scalar(0, like: x, "zero"), "test")
    return try node.intermediate(
      .select(Where()),
      [test, try node.scalar(1, like: x, "plus"), try node.scalar(-1, like: x, "minus")], "sign")
  }

  /// `(round(clamp(x / scale + zero)) − zero) · scale`; with one signed bit the sign of
  /// x / scale + zero in the place of the rounding.
  private static func uniform(_ node: NodeBuilder) throws(ImportFault) {
    let (x, scale, zero) = (try node.input(0), try node.input(1), try node.input(2))
    guard let bits = node.known(3), bits.count == 1, let number = bits.doubles.first,
      let width = Int(exactly: number), (1...24).contains(width)
    else { throw node.fault(.unsupported("a bit width that is not one constant from 1 to 24")) }
    let isSigned = try node.flag("signed", default: true)
    let isNarrow = try node.flag("narrow")
    let rounding = try rounding(node)
    let scaled = try node.binary(.divide, x, scale, "scaled")
    var value = try node.binary(.add, scaled, zero, "shifted")
    if width == 1 && isSigned {
      value = try sign(of: value, node)
    } else {
      let levels = Double(1 << (isSigned ? width - 1 : width))
      let lowest = isSigned ? -levels + (isNarrow ? 1 : 0) : 0
      let highest = isSigned || !isNarrow ? levels - 1 : levels - 2
      value = try node.binary(
        .minimum, value, try node.scalar(highest, like: x, "highest"), "limited")
      value = try node.binary(
        .maximum, value, try node.scalar(lowest, like: x, "lowest"), "clamped")
      value = try node.unary(rounding, value, "rounded")
    }
    let centred = try node.binary(.subtract, value, zero, "centred")
    try node.emit(.elementwiseBinary(ElementwiseBinary(kind: .multiply)), [centred, scale])
  }

  private static func rounding(_ node: NodeBuilder) throws(ImportFault) -> PointwiseFunction {
    switch try node.string("rounding_mode")?.uppercased() {
    case nil, "ROUND", "HALF_EVEN": return .roundHalfToEven
    case "FLOOR": return .floor
    case "CEIL": return .ceiling
    case let other?: throw node.fault(.unsupported("rounding mode '\(other)'"))
    }
  }

  /// How many thresholds a value may be compared with.
  private static let thresholdLimit = 255

  /// `bias + scale · (number of thresholds t of the channel with x ≥ t)`.
  private static func multiThreshold(_ node: NodeBuilder) throws(ImportFault) {
    node.ignore("out_dtype")
    let scale = Double(try node.float("out_scale") ?? 1)
    let bias = Double(try node.float("out_bias") ?? 0)
    let isChannelsLast = try node.string("data_layout") == "NHWC"
    guard let thresholds = node.known(1), thresholds.shape.rank == 2,
      (1...thresholdLimit).contains(thresholds.shape[1]), thresholds.shape[0] > 0
    else {
      throw node.fault(
        .unsupported("thresholds that are not a constant [C, 1 to \(thresholdLimit)]"))
    }
    let hasChannels = thresholds.shape[0] > 1
    var x = try node.input(0)
    if isChannelsLast && hasChannels {
      x = try node.intermediate(
        .transpose(Transpose(permutation: [0, 3, 1, 2])), [x], "nchw")
    }
    var count = try passed(0, of: thresholds, x, node)
    for index in 1..<max(thresholds.shape[1], 1) {
      count = try node.binary(
        .add, count, try passed(index, of: thresholds, x, node), "count \(index)")
    }
    if isChannelsLast && hasChannels {
      count = try node.intermediate(
        .transpose(Transpose(permutation: [0, 2, 3, 1])), [count], "nhwc")
    }
    let product = try node.binary(
      .multiply, count, try node.scalar(scale, like: count, "out_scale"), "scaled")
    try node.emit(
      .elementwiseBinary(ElementwiseBinary(kind: .add)),
      [product, try node.scalar(bias, like: count, "out_bias")])
  }

  /// 1 where x reaches its channel's threshold of an index, 0 elsewhere.
  private static func passed(
    _ index: Int, of thresholds: Tensor, _ x: ValueID, _ node: NodeBuilder
  ) throws(ImportFault) -> ValueID {
    let bounds = stride(from: index, to: thresholds.count, by: thresholds.shape[1]).map {
      thresholds.floats[$0]
    }
    if bounds.count == 1 {
      let bound = try node.scalar(Double(bounds[0]), like: x, "threshold \(index)")
      let test = try node.comparison(.greaterOrEqual, x, bound, "test \(index)")
      return try node.cast(test, to: node.elementType(0) ?? .float32, "bit \(index)")
    }
    let test = Thresholds<Float>(
      lower: bounds, upper: bounds.map { _ in .infinity }, insideIsPlus: bounds.map { _ in true })
    let sign = try node.intermediate(
      .binarize(Binarize(thresholds: test)), [x], "sign \(index)")
    let sum = try node.binary(
      .add, sign, try node.scalar(1, like: sign, "one"), "sum \(index)")
    return try node.binary(
      .multiply, sum, try node.scalar(0.5, like: sign, "half"), "bit \(index)")
  }
}
