import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let normalizations: [String: OnnxOperator] = [
    "BatchNormalization": OnnxOperator(5...5, build: batchNormalization),
    "Dropout": OnnxOperator(1...3, build: dropout),
    "Softmax": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try softmax(node, logarithm: false)
    },
    "LogSoftmax": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try softmax(node, logarithm: true)
    },
    "Hardmax": OnnxOperator(1...1, build: hardmax),
  ]

  private static func batchNormalization(_ node: NodeBuilder) throws(ImportFault) {
    node.ignore("momentum")
    let isTraining =
      try node.operatorSet < 7 ? !node.flag("is_test") : node.flag("training_mode")
    guard !isTraining else {
      throw node.fault(.unsupported("BatchNormalization in training mode"))
    }
    let epsilon = try node.float("epsilon") ?? 1e-5
    if node.operatorSet < 9, try !node.flag("spatial", default: true) {
      return try normalizePositions(node, epsilon: Double(epsilon))
    }
    try node.emit(.batchNormalization(BatchNormalization(epsilon: epsilon)), node.inputs)
  }

  /// Parameters per channel and position: (x − mean) / √(variance + ε) · γ + β.
  private static func normalizePositions(
    _ node: NodeBuilder, epsilon: Double
  ) throws(ImportFault) {
    let variance = try node.input(4)
    let epsilon = try node.scalar(epsilon, like: variance, "epsilon")
    let deviation = try node.unary(
      .squareRoot, try node.binary(.add, variance, epsilon, "variance"), "deviation")
    let centred = try node.binary(.subtract, try node.input(0), try node.input(3), "centred")
    let normal = try node.binary(.divide, centred, deviation, "normal")
    let scaled = try node.binary(.multiply, normal, try node.input(1), "scaled")
    try node.emit(
      .elementwiseBinary(ElementwiseBinary(kind: .add)), [scaled, try node.input(2)])
  }

  /// Drops nothing at inference. An input can switch training on; it must be known.
  private static func dropout(_ node: NodeBuilder) throws(ImportFault) {
    node.ignore("ratio", "seed")
    var isTraining = false
    if node.operatorSet < 7 { isTraining = try !node.flag("is_test") }
    if node.optionalInput(2) != nil, try node.needed(2).bools.contains(true) {
      // At a ratio of 0, training drops nothing either.
      let ratio = node.optionalInput(1) == nil ? nil : try node.needed(1)
      isTraining = ratio?.bools.contains(true) ?? true
    }
    guard !isTraining else { throw node.fault(.unsupported("Dropout in training mode")) }
    let x = try node.input(0)
    try node.emit(.identity(Identity()), [x])
    guard node.isOutputUsed(1) else { return }
    // The mask says what is kept: everything. It has been of truth values since version 10.
    let type = node.operatorSet < 10 ? node.elementType(0) ?? .float32 : .bool
    let one = Tensor(scalar: 1, elementType: type)
    let shape = try node.intermediate(.shapeOf(ShapeOf()), [x], "shape")
    try node.emit(.constantOfShape(ConstantOfShape(value: one)), [shape], output: 1)
  }

  private static func softmax(_ node: NodeBuilder, logarithm: Bool) throws(ImportFault) {
    let flattens = node.operatorSet < 13
    let axis = try node.integer("axis") ?? (flattens ? 1 : -1)
    try node.emit(
      .softmax(Softmax(axis: axis, logarithm: logarithm, flattens: flattens)), node.inputs)
  }

  /// 1 at the first largest element of each line, 0 elsewhere.
  private static func hardmax(_ node: NodeBuilder) throws(ImportFault) {
    let flattens = node.operatorSet < 13
    var x = try node.input(0)
    let shape = try node.intermediate(.shapeOf(ShapeOf()), [x], "shape")
    var axis = try node.integer("axis") ?? (flattens ? 1 : -1)
    if flattens {
      x = try node.intermediate(.flatten(Flatten(axis: axis)), [x], "flat")
      axis = 1
    }
    let extents = try node.extents(x)
    axis = try node.axis(axis, rank: extents.count)
    let largest = try node.intermediate(
      .argumentExtremum(ArgumentExtremum(isMaximum: true, axis: axis)), [x], "largest")
    let positions = try node.positions(
      count: try node.fixed(extents, axis), following: extents.count - 1 - axis, "positions")
    let isLargest = try node.comparison(.equal, largest, positions, "isLargest")
    let result = try node.cast(isLargest, to: node.elementType(0) ?? .float32, "result")
    try node.emit(.reshape(Reshape(allowsZero: true)), [result, shape])
  }
}

extension NodeBuilder {
  /// The numbers 0, 1, … along an axis that so many dimensions follow.
  func positions(
    count: Int, following: Int, _ label: String
  ) throws(ImportFault) -> ValueID {
    guard count >= 0, count <= 1 << 24 else { throw fault(.tooLarge(elements: count)) }
    let shape = Shape([count] + [Int](repeating: 1, count: following))
    return try constant(Tensor((0..<count).map { Int64($0) }, shape: shape), label)
  }
}
