import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let activations: [String: OnnxOperator] = [
    "Relu": pointwise(.relu),
    "Sigmoid": pointwise(.sigmoid),
    "Tanh": pointwise(.tanh),
    "Softplus": pointwise(.softplus),
    "Softsign": pointwise(.softsign),
    "HardSwish": pointwise(.hardSwish),
    "LeakyRelu": OnnxOperator(1...1) { (node) throws(ImportFault) in
      apply(.leakyRelu(alpha: try node.float("alpha") ?? 0.01), node)
    },
    "Elu": OnnxOperator(1...1) { (node) throws(ImportFault) in
      apply(.elu(alpha: try node.float("alpha") ?? 1), node)
    },
    "Celu": OnnxOperator(1...1) { (node) throws(ImportFault) in
      apply(.celu(alpha: try node.float("alpha") ?? 1), node)
    },
    "Selu": OnnxOperator(1...1) { (node) throws(ImportFault) in
      let alpha = try node.float("alpha") ?? 1.673_263_192_176_818_8
      let gamma = try node.float("gamma") ?? 1.050_701_022_148_132_3
      apply(.selu(alpha: alpha, gamma: gamma), node)
    },
    "HardSigmoid": OnnxOperator(1...1) { (node) throws(ImportFault) in
      let alpha = try node.float("alpha") ?? 0.2
      let beta = try node.float("beta") ?? 0.5
      apply(.hardSigmoid(alpha: alpha, beta: beta), node)
    },
    "Gelu": OnnxOperator(1...1, build: gelu),
    // Before version 7 a list of slopes stood for the channels, not for the last axis.
    "PRelu": OnnxOperator(2...2, since: 7) { $0.emit(.pRelu(PRelu()), $0.inputs) },
    "ThresholdedRelu": OnnxOperator(1...1, build: thresholdedRelu),
    "Mish": OnnxOperator(1...1, build: mish),
    "Clip": OnnxOperator(1...3, build: clip),
  ]

  /// An operator without attributes that applies a function to each element.
  static func pointwise(_ function: PointwiseFunction) -> OnnxOperator {
    OnnxOperator(1...1) { apply(function, $0) }
  }

  private static func apply(_ function: PointwiseFunction, _ node: NodeBuilder) {
    node.emit(.elementwiseUnary(ElementwiseUnary(function: function)), node.inputs)
  }

  private static func gelu(_ node: NodeBuilder) throws(ImportFault) {
    let spelling = try node.string("approximate") ?? "none"
    guard spelling == "none" || spelling == "tanh" else {
      throw node.invalid("approximate", spelling, "none or tanh")
    }
    apply(.gelu(tanhApproximation: spelling == "tanh"), node)
  }

  /// `x > alpha ? x : 0`.
  private static func thresholdedRelu(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let alpha = node.scalar(try node.float("alpha") ?? 1, "alpha")
    let isAbove = node.intermediate(
      .comparison(Comparison(kind: .greater)), [x, alpha], "above", type: .bool)
    node.emit(.select(Where()), [isAbove, x, node.scalar(0, "zero")], type: node.elementType(0))
  }

  /// `x · tanh(softplus(x))`.
  private static func mish(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let softplus = node.intermediate(
      .elementwiseUnary(ElementwiseUnary(function: .softplus)), [x], "softplus")
    let factor = node.intermediate(
      .elementwiseUnary(ElementwiseUnary(function: .tanh)), [softplus], "tanh")
    node.emit(.elementwiseBinary(ElementwiseBinary(kind: .multiply)), [x, factor])
  }

  /// The bounds are attributes before version 11 and inputs since.
  private static func clip(_ node: NodeBuilder) throws(ImportFault) {
    guard node.operatorSet < 11 else { return node.emit(.clip(Clip()), node.inputs) }
    try node.checkInputs(1...1)
    let lower = try node.float("min").map { node.scalar($0, "min") }
    let upper = try node.float("max").map { node.scalar($0, "max") }
    node.emit(.clip(Clip()), [try node.input(0), lower, upper])
  }
}
