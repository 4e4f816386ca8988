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
  ]

  private static func batchNormalization(_ node: NodeBuilder) throws(ImportFault) {
    node.ignore("momentum")
    if node.operatorSet < 9, try !node.flag("spatial", default: true) {
      throw node.invalid("spatial", "0", "1")
    }
    if node.operatorSet < 7, try !node.flag("is_test") {
      throw node.invalid("is_test", "0", "1, inference")
    }
    if try node.flag("training_mode") { throw node.invalid("training_mode", "1", "0, inference") }
    let epsilon = try node.float("epsilon") ?? 1e-5
    node.emit(.batchNormalization(BatchNormalization(epsilon: epsilon)), node.inputs)
  }

  /// Drops nothing at inference. An input can switch training on; it must be a constant false.
  private static func dropout(_ node: NodeBuilder) throws(ImportFault) {
    node.ignore("ratio", "seed")
    if node.operatorSet < 7, try !node.flag("is_test") {
      throw node.invalid("is_test", "0", "1, inference")
    }
    if node.optionalInput(2) != nil, node.constant(2)?.bools.contains(true) ?? true {
      throw node.fault(.unsupported("dropout in training mode"))
    }
    node.emit(.identity(Identity()), [try node.input(0)])
  }

  private static func softmax(_ node: NodeBuilder, logarithm: Bool) throws(ImportFault) {
    let flattens = node.operatorSet < 13
    let axis = try node.integer("axis") ?? (flattens ? 1 : -1)
    node.emit(
      .softmax(Softmax(axis: axis, logarithm: logarithm, flattens: flattens)), node.inputs)
  }
}
