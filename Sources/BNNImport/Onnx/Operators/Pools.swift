import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let pools: [String: OnnxOperator] = [
    "MaxPool": OnnxOperator(1...1, build: maxPool),
    "AveragePool": OnnxOperator(1...1, build: averagePool),
    "LpPool": OnnxOperator(1...1, build: lpPool),
    "GlobalMaxPool": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try globalPool(node, .maximum)
    },
    "GlobalAveragePool": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try globalPool(node, .average(countPadding: false))
    },
    "GlobalLpPool": OnnxOperator(1...1, build: globalLpPool),
  ]

  private static func maxPool(_ node: NodeBuilder) throws(ImportFault) {
    let columnMajor = try node.flag("storage_order")
    let ceiling = try node.flag("ceil_mode")
    let window = try window(of: node)
    try node.emit(
      .pool(Pool(kind: .maximum, window: window, ceiling: ceiling)), node.inputs)
    guard node.isOutputUsed(1) else { return }
    let indices = MaximumIndices(window: window, ceiling: ceiling, columnMajor: columnMajor)
    try node.emit(.maximumIndices(indices), node.inputs, output: 1)
  }

  private static func averagePool(_ node: NodeBuilder) throws(ImportFault) {
    let kind = Pool.Kind.average(countPadding: try node.flag("count_include_pad"))
    let ceiling = try node.flag("ceil_mode")
    try node.emit(
      .pool(Pool(kind: kind, window: try window(of: node), ceiling: ceiling)), node.inputs)
  }

  private static func globalPool(
    _ node: NodeBuilder, _ kind: Pool.Kind
  ) throws(ImportFault) {
    try node.emit(
      .pool(Pool(kind: kind, window: WindowGeometry(kernel: []), isGlobal: true)), node.inputs)
  }

  private static func window(of node: NodeBuilder) throws(ImportFault) -> WindowGeometry {
    let attributes = try WindowAttributes(node)
    let kernel = try node.required("kernel_shape", attributes.kernel)
    let extents = try node.extents(try node.input(0)).dropFirst(2)
    return try attributes.window(kernel: kernel, input: Array(extents))
  }

  // MARK: Norms

  /// The p-th root of the sum of |x|^p: the mean times the size of the window.
  private static func lpPool(_ node: NodeBuilder) throws(ImportFault) {
    let p = try exponent(of: node)
    var window = try window(of: node)
    let extents = try node.extents(try node.input(0)).dropFirst(2)
    if try node.flag("ceil_mode") {
      // As much padding at the end as the last window reaches beyond, so that it counts, too.
      for (axis, extent) in extents.enumerated() where axis < window.spatialRank {
        guard let extent else {
          throw node.fault(.unsupported("rounding up with an open extent"), attribute: "ceil_mode")
        }
        window.roundUp(axis: axis, extent: extent)
      }
    }
    let pool = Pool(kind: .average(countPadding: true), window: window)
    let mean = try node.intermediate(.pool(pool), [try node.power(p, "power")], "mean")
    let count = window.kernel.reduce(1.0) { $0 * Double($1) }
    let sum = try node.binary(.multiply, mean, try node.scalar(count, like: mean, "count"), "sum")
    try node.emitRoot(of: sum, p)
  }

  private static func globalLpPool(_ node: NodeBuilder) throws(ImportFault) {
    let p = try exponent(of: node)
    let axes = Array(try node.extents(try node.input(0)).indices.dropFirst(2))
    try node.emitRoot(of: try node.reduce(.sum, try node.power(p, "power"), axes: axes, "sum"), p)
  }

  /// p, which is a real number in version 1.
  private static func exponent(of node: NodeBuilder) throws(ImportFault) -> Double {
    let p =
      node.operatorSet < 2
      ? Double(try node.float("p") ?? 2) : Double(try node.integer("p") ?? 2)
    guard p > 0, p.isFinite else { throw node.invalid("p", "\(p)", "a positive number") }
    return p
  }
}

extension NodeBuilder {
  /// |x|^p of the first input.
  fileprivate func power(_ p: Double, _ label: String) throws(ImportFault) -> ValueID {
    let x = try input(0)
    if p == 2 { return try binary(.multiply, x, x, label) }
    let magnitude = try unary(.absolute, x, "magnitude")
    guard p != 1 else { return magnitude }
    return try binary(.power, magnitude, try scalar(p, like: x, "p"), label)
  }

  fileprivate func emitRoot(of sum: ValueID, _ p: Double) throws(ImportFault) {
    switch p {
    case 1: try emit(.identity(Identity()), [sum])
    case 2: try emit(.elementwiseUnary(ElementwiseUnary(function: .squareRoot)), [sum])
    default:
      let root = try scalar(1 / p, like: sum, "root")
      try emit(.elementwiseBinary(ElementwiseBinary(kind: .power)), [sum, root])
    }
  }
}

extension WindowGeometry {
  /// Adds padding at the end of an axis so that the last window of a ceiling pool fits.
  fileprivate mutating func roundUp(axis: Int, extent: Int) {
    let room = extent + padsBegin[axis] + padsEnd[axis] - span(axis)
    let rest = room % strides[axis]
    guard room >= 0, rest > 0 else { return }
    let start = (room / strides[axis] + 1) * strides[axis]
    if start < extent + padsBegin[axis] { padsEnd[axis] += strides[axis] - rest }
  }
}
