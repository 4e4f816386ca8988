import BNNGraph
import BNNTensor

/// Normalizations by statistics of the value itself, put together from reductions and arithmetic.
extension OnnxOperator {
  static let scaledNormalizations: [String: OnnxOperator] = [
    "InstanceNormalization": OnnxOperator(3...3, build: instanceNormalization),
    "LayerNormalization": OnnxOperator(2...3, build: layerNormalization),
    "GroupNormalization": OnnxOperator(3...3, since: 18, build: groupNormalization),
    "RMSNormalization": OnnxOperator(2...2, build: rootMeanSquareNormalization),
    "MeanVarianceNormalization": OnnxOperator(1...1, build: meanVarianceNormalization),
    "LpNormalization": OnnxOperator(1...1, build: normalizationByNorm),
    "LRN": OnnxOperator(1...1, build: localResponseNormalization),
  ]

  private static func instanceNormalization(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let rank = try node.extents(x).count
    let statistics = try node.statistics(of: x, axes: Array(2..<max(rank, 2)))
    let normal = try node.binary(
      .multiply, statistics.centred, statistics.inverseDeviation, "normal")
    let scale = try node.appendingAxes(try node.input(1), count: rank - 2, "scale")
    let bias = try node.appendingAxes(try node.input(2), count: rank - 2, "bias")
    try node.emitAffine(normal, scale, bias)
  }

  /// Outputs: the result, the mean, 1 / deviation. The statistics are computed in float32.
  private static func layerNormalization(_ node: NodeBuilder) throws(ImportFault) {
    let (x, type) = try node.stashed()
    let axes = try node.trailingAxes(of: x)
    let statistics = try node.statistics(of: x, axes: axes)
    let normal = try node.binary(
      .multiply, statistics.centred, statistics.inverseDeviation, "normal")
    let rounded = try node.cast(normal, to: type, "rounded")
    try node.emitAffine(rounded, try node.input(1), node.optionalInput(2))
    if node.isOutputUsed(1) { try node.emitAlias(of: statistics.mean, output: 1) }
    if node.isOutputUsed(2) { try node.emitAlias(of: statistics.inverseDeviation, output: 2) }
  }

  /// x / √(mean of x² + ε), scaled.
  private static func rootMeanSquareNormalization(_ node: NodeBuilder) throws(ImportFault) {
    let (x, type) = try node.stashed()
    let axes = try node.trailingAxes(of: x)
    let squares = try node.binary(.multiply, x, x, "squares")
    let mean = try node.reduce(.mean, squares, axes: axes, "mean")
    let normal = try node.binary(.multiply, x, try node.inverseRoot(of: mean), "normal")
    let rounded = try node.cast(normal, to: type, "rounded")
    try node.emit(
      .elementwiseBinary(ElementwiseBinary(kind: .multiply)), [rounded, try node.input(1)])
  }

  /// Scale and bias have an entry per group before version 21 and per channel since.
  private static func groupNormalization(_ node: NodeBuilder) throws(ImportFault) {
    let (x, type) = try node.stashed()
    let extents = try node.extents(x)
    try node.requireRank(3...Int.max, of: x)
    let groups = try node.required("num_groups", try node.integer("num_groups"))
    guard groups >= 1, try node.fixed(extents, 1) % groups == 0 else {
      throw node.invalid("num_groups", "\(groups)", "a divisor of the channels")
    }
    let shape = extents.map { $0 ?? 0 }
    let grouped = try node.reshape(x, [0, groups, -1], "groups")
    let statistics = try node.statistics(of: grouped, axes: [2])
    var normal = try node.binary(
      .multiply, statistics.centred, statistics.inverseDeviation, "normal")
    normal = try node.cast(normal, to: type, "rounded")
    if node.operatorSet >= 21 {
      let count = extents.count - 2
      normal = try node.reshape(normal, shape, "channels")
      return try node.emitAffine(
        normal, try node.appendingAxes(try node.input(1), count: count, "scale"),
        try node.appendingAxes(try node.input(2), count: count, "bias"))
    }
    let scale = try node.appendingAxes(try node.input(1), count: 1, "scale")
    let bias = try node.appendingAxes(try node.input(2), count: 1, "bias")
    let scaled = try node.binary(.multiply, normal, scale, "scaled")
    let moved = try node.binary(.add, scaled, bias, "moved")
    try node.emit(.reshape(Reshape()), [moved, try node.constant(shape, "shape")])
  }

  /// (x − mean) / (deviation + 10⁻⁹)
  private static func meanVarianceNormalization(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let axes = try node.integers("axes") ?? [0, 2, 3]
    let mean = try node.reduce(.mean, x, axes: axes, "mean")
    let centred = try node.binary(.subtract, x, mean, "centred")
    let squares = try node.binary(.multiply, centred, centred, "squares")
    let variance = try node.reduce(.mean, squares, axes: axes, "variance")
    let deviation = try node.binary(
      .add, try node.unary(.squareRoot, variance, "deviation"),
      try node.scalar(1e-9, like: x, "epsilon"), "divisor")
    try node.emit(
      .elementwiseBinary(ElementwiseBinary(kind: .divide)), [centred, deviation])
  }

  private static func normalizationByNorm(_ node: NodeBuilder) throws(ImportFault) {
    let p = try node.integer("p") ?? 2
    guard p == 1 || p == 2 else { throw node.invalid("p", "\(p)", "1 or 2") }
    let x = try node.input(0)
    let axis = try node.integer("axis") ?? -1
    let norm = try node.reduce(p == 1 ? .l1 : .l2, x, axes: [axis], "norm")
    try node.emit(.elementwiseBinary(ElementwiseBinary(kind: .divide)), [x, norm])
  }

  /// x / (bias + alpha · mean)^beta, the mean being that of x² over neighbouring channels, with 0
  /// beyond the first and last.
  private static func localResponseNormalization(_ node: NodeBuilder) throws(ImportFault) {
    let size = try node.required("size", try node.integer("size"))
    guard size >= 1, size < 1 << 20 else { throw node.invalid("size", "\(size)", "a count") }
    let x = try node.input(0)
    try node.requireRank(3...Int.max, of: x)
    let shape = try node.extents(x).map { $0 ?? 0 }
    let planes = try node.reshape(
      try node.binary(.multiply, x, x, "squares"), [0, 1, shape[1], -1], "planes")
    let window = WindowGeometry(
      kernel: [size, 1], padsBegin: [(size - 1) / 2, 0], padsEnd: [size / 2, 0])
    let pool = Op.pool(Pool(kind: .average(countPadding: true), window: window))
    let mean = try node.reshape(
      try node.intermediate(pool, [planes], "mean"), shape, "meanOfNeighbours")
    func attribute(_ name: String, _ other: Double) throws(ImportFault) -> ValueID {
      try node.scalar(try node.float(name).map { Double($0) } ?? other, like: x, name)
    }
    let scaled = try node.binary(.multiply, mean, try attribute("alpha", 1e-4), "scaled")
    let base = try node.binary(.add, scaled, try attribute("bias", 1), "base")
    let divisor = try node.binary(.power, base, try attribute("beta", 0.75), "divisor")
    try node.emit(.elementwiseBinary(ElementwiseBinary(kind: .divide)), [x, divisor])
  }
}

extension NodeBuilder {
  fileprivate struct Statistics {
    var mean: ValueID
    /// x − mean
    var centred: ValueID
    /// 1 / √(variance + ε)
    var inverseDeviation: ValueID
  }

  fileprivate func statistics(
    of x: ValueID, axes: [Int]
  ) throws(ImportFault) -> Statistics {
    let mean = try reduce(.mean, x, axes: axes, "mean")
    let centred = try binary(.subtract, x, mean, "centred")
    let squares = try binary(.multiply, centred, centred, "squares")
    let variance = try reduce(.mean, squares, axes: axes, "variance")
    return Statistics(
      mean: mean, centred: centred, inverseDeviation: try inverseRoot(of: variance))
  }

  /// 1 / √(x + ε)
  fileprivate func inverseRoot(of x: ValueID) throws(ImportFault) -> ValueID {
    let epsilon = try scalar(Double(try float("epsilon") ?? 1e-5), like: x, "epsilon")
    let root = try unary(.squareRoot, try binary(.add, x, epsilon, "sum"), "deviation")
    return try unary(.reciprocal, root, "inverse")
  }

  /// The first input in the type that `stash_type` asks for, and its own type.
  fileprivate func stashed() throws(ImportFault) -> (x: ValueID, type: ElementType) {
    let stash = try elementTypeAttribute("stash_type") ?? .float32
    let x = try input(0)
    return (try cast(x, to: stash, "stashed"), elementType(0) ?? .float32)
  }

  /// The axes from the attribute `axis` on.
  fileprivate func trailingAxes(of x: ValueID) throws(ImportFault) -> [Int] {
    let rank = try extents(x).count
    return Array(try axis(try integer("axis") ?? -1, rank: rank)..<rank)
  }

  /// x · scale + bias as the first output.
  fileprivate func emitAffine(
    _ x: ValueID, _ scale: ValueID, _ bias: ValueID?
  ) throws(ImportFault) {
    let multiply = Op.elementwiseBinary(ElementwiseBinary(kind: .multiply))
    guard let bias else { return try emit(multiply, [x, scale]) }
    let scaled = try intermediate(multiply, [x, scale], "scaled")
    try emit(.elementwiseBinary(ElementwiseBinary(kind: .add)), [scaled, bias])
  }
}
