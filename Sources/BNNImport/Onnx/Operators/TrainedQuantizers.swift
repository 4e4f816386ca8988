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
    scaled(sign(of: try node.input(0), node), by: try node.input(1), node)
  }

  /// +1 where x ≥ 0, −1 elsewhere.
  private static func sign(of x: ValueID, _ node: NodeBuilder) -> ValueID {
    let test = node.intermediate(
      .comparison(Comparison(kind: .greaterOrEqual)), [x, node.scalar(0, "zero")], "test",
      type: .bool)
    return node.intermediate(
      .select(Where()), [test, node.scalar(1, "plus"), node.scalar(-1, "minus")], "sign",
      type: node.elementType(0))
  }

  /// The source node's result: a value times a scale.
  private static func scaled(_ value: ValueID, by scale: ValueID, _ node: NodeBuilder) {
    node.emit(
      .elementwiseBinary(ElementwiseBinary(kind: .multiply)), [value, scale],
      type: node.elementType(0))
  }

  /// `(round(clamp(x / scale + zero)) − zero) · scale`; with one signed bit the sign of
  /// x / scale + zero in the place of the rounding.
  private static func uniform(_ node: NodeBuilder) throws(ImportFault) {
    let (x, scale, zero) = (try node.input(0), try node.input(1), try node.input(2))
    guard let bits = node.constant(3), bits.count == 1, let number = bits.doubles.first,
      let width = Int(exactly: number), (1...24).contains(width)
    else { throw node.fault(.unsupported("a bit width that is not one constant from 1 to 24")) }
    let isSigned = try node.flag("signed", default: true)
    let isNarrow = try node.flag("narrow")
    let rounding = try rounding(node)
    func pair(_ kind: ElementwiseBinary.Kind, _ a: ValueID, _ b: ValueID, _ label: String)
      -> ValueID
    {
      node.intermediate(
        .elementwiseBinary(ElementwiseBinary(kind: kind)), [a, b], label,
        type: node.elementType(0))
    }
    var value = pair(.add, pair(.divide, x, scale, "scaled"), zero, "shifted")
    if width == 1 && isSigned {
      value = sign(of: value, node)
    } else {
      let levels = Float(1 << (isSigned ? width - 1 : width))
      let lowest = isSigned ? -levels + (isNarrow ? 1 : 0) : 0
      let highest = isSigned || !isNarrow ? levels - 1 : levels - 2
      value = pair(.minimum, value, node.scalar(highest, "highest"), "limited")
      value = pair(.maximum, value, node.scalar(lowest, "lowest"), "clamped")
      value = node.intermediate(
        .elementwiseUnary(ElementwiseUnary(function: rounding)), [value], "rounded")
    }
    scaled(pair(.subtract, value, zero, "centred"), by: scale, node)
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
    let scale = try node.float("out_scale") ?? 1
    let bias = try node.float("out_bias") ?? 0
    let isChannelsLast = try node.string("data_layout") == "NHWC"
    guard let thresholds = node.constant(1), thresholds.shape.rank == 2,
      (1...thresholdLimit).contains(thresholds.shape[1]), thresholds.shape[0] > 0
    else {
      throw node.fault(
        .unsupported("thresholds that are not a constant [C, 1 to \(thresholdLimit)]"))
    }
    let hasChannels = thresholds.shape[0] > 1
    var x = try node.input(0)
    if isChannelsLast && hasChannels {
      x = node.intermediate(.transpose(Transpose(permutation: [0, 3, 1, 2])), [x], "nchw")
    }
    var count = passed(0, of: thresholds, x, node)
    for index in 1..<max(thresholds.shape[1], 1) {
      count = node.intermediate(
        .elementwiseBinary(ElementwiseBinary(kind: .add)),
        [count, passed(index, of: thresholds, x, node)], "count \(index)")
    }
    if isChannelsLast && hasChannels {
      count = node.intermediate(
        .transpose(Transpose(permutation: [0, 2, 3, 1])), [count], "nhwc")
    }
    let product = node.intermediate(
      .elementwiseBinary(ElementwiseBinary(kind: .multiply)),
      [count, node.scalar(scale, "out_scale")], "scaled")
    node.emit(
      .elementwiseBinary(ElementwiseBinary(kind: .add)),
      [product, node.scalar(bias, "out_bias")])
  }

  /// 1 where x reaches its channel's threshold of an index, 0 elsewhere.
  private static func passed(
    _ index: Int, of thresholds: Tensor, _ x: ValueID, _ node: NodeBuilder
  ) -> ValueID {
    let bounds = stride(from: index, to: thresholds.count, by: thresholds.shape[1]).map {
      thresholds.floats[$0]
    }
    if bounds.count == 1 {
      let test = node.intermediate(
        .comparison(Comparison(kind: .greaterOrEqual)),
        [x, node.scalar(bounds[0], "threshold \(index)")], "test \(index)", type: .bool)
      return node.intermediate(
        .cast(Cast(to: node.elementType(0) ?? .float32)), [test], "bit \(index)",
        type: node.elementType(0))
    }
    let test = Thresholds<Float>(
      lower: bounds, upper: bounds.map { _ in .infinity }, insideIsPlus: bounds.map { _ in true })
    let sign = node.intermediate(
      .binarize(Binarize(thresholds: test)), [x], "sign \(index)")
    let sum = node.intermediate(
      .elementwiseBinary(ElementwiseBinary(kind: .add)), [sign, node.scalar(1, "one")],
      "sum \(index)")
    return node.intermediate(
      .elementwiseBinary(ElementwiseBinary(kind: .multiply)), [sum, node.scalar(0.5, "half")],
      "bit \(index)")
  }
}
