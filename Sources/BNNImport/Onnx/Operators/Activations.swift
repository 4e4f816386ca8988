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
      try apply(.leakyRelu(alpha: try node.float("alpha") ?? 0.01), node)
    },
    "Elu": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try apply(.elu(alpha: try node.float("alpha") ?? 1), node)
    },
    "Celu": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try apply(.celu(alpha: try node.float("alpha") ?? 1), node)
    },
    "Selu": OnnxOperator(1...1) { (node) throws(ImportFault) in
      let alpha = try node.float("alpha") ?? 1.673_263_192_176_818_8
      let gamma = try node.float("gamma") ?? 1.050_701_022_148_132_3
      try apply(.selu(alpha: alpha, gamma: gamma), node)
    },
    "HardSigmoid": OnnxOperator(1...1) { (node) throws(ImportFault) in
      let alpha = try node.float("alpha") ?? 0.2
      let beta = try node.float("beta") ?? 0.5
      try apply(.hardSigmoid(alpha: alpha, beta: beta), node)
    },
    "Gelu": OnnxOperator(1...1, build: gelu),
    "PRelu": OnnxOperator(2...2, build: pRelu),
    "Shrink": OnnxOperator(1...1, build: shrink),
    "ThresholdedRelu": OnnxOperator(1...1, build: thresholdedRelu),
    "Mish": OnnxOperator(1...1, build: mish),
    "Clip": OnnxOperator(1...3, build: clip),
  ]

  /// An operator without attributes that applies a function to each element.
  static func pointwise(_ function: PointwiseFunction) -> OnnxOperator {
    OnnxOperator(1...1) { (node) throws(ImportFault) in try apply(function, node) }
  }

  private static func apply(_ function: PointwiseFunction, _ node: NodeBuilder) throws(ImportFault)
  {
    try node.emit(.elementwiseUnary(ElementwiseUnary(function: function)), node.inputs)
  }

  private static func gelu(_ node: NodeBuilder) throws(ImportFault) {
    let spelling = try node.string("approximate") ?? "none"
    guard spelling == "none" || spelling == "tanh" else {
      throw node.invalid("approximate", spelling, "none or tanh")
    }
    try apply(.gelu(tanhApproximation: spelling == "tanh"), node)
  }

  /// `x > alpha ? x : 0`.
  private static func thresholdedRelu(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let alpha = try node.scalar(Double(try node.float("alpha") ?? 1), like: x, "alpha")
    let isAbove = try node.comparison(.greater, x, alpha, "above")
    try node.emit(.select(Where()), [isAbove, x, try node.scalar(0, like: x, "zero")])
  }

  /// `x < −lambd ? x + bias : x > lambd ? x − bias : 0`.
  private static func shrink(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let limit = Double(try node.float("lambd") ?? 0.5)
    let bias = try node.scalar(Double(try node.float("bias") ?? 0), like: x, "bias")
    let (lower, upper) = (
      try node.scalar(-limit, like: x, "lower"), try node.scalar(limit, like: x, "upper")
    )
    let zero = try node.scalar(0, like: x, "zero")
    let above = try node.intermediate(
      .select(Where()),
      [
        try node.comparison(.greater, x, upper, "isAbove"),
        try node.binary(.subtract, x, bias, "minus"), zero,
      ], "above")
    try node.emit(
      .select(Where()),
      [
        try node.comparison(.less, x, lower, "isBelow"),
        try node.binary(.add, x, bias, "plus"), above,
      ])
  }

  /// `x · tanh(softplus(x))`.
  private static func mish(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let softplus = try node.unary(.softplus, x, "softplus")
    let factor = try node.unary(.tanh, softplus, "tanh")
    try node.emit(.elementwiseBinary(ElementwiseBinary(kind: .multiply)), [x, factor])
  }

  /// Before version 7 a list of slopes stands for the channels, not for the last axis.
  private static func pRelu(_ node: NodeBuilder) throws(ImportFault) {
    var slope = try node.input(1)
    if node.operatorSet < 7, try node.extents(slope) != [1] {
      let rank = try node.extents(try node.input(0)).count
      slope = try node.appendingAxes(slope, count: rank - 2, "slope")
    }
    try node.emit(.pRelu(PRelu()), [try node.input(0), slope])
  }

  /// The bounds are attributes before version 11 and inputs since.
  private static func clip(_ node: NodeBuilder) throws(ImportFault) {
    guard node.operatorSet < 11 else { return try node.emit(.clip(Clip()), node.inputs) }
    try node.checkInputs(1...1)
    let x = try node.input(0)
    var inputs: [ValueID?] = [x]
    for name in ["min", "max"] {
      guard let bound = try node.float(name) else {
        inputs.append(nil)
        continue
      }
      inputs.append(try node.scalar(Double(bound), like: x, name))
    }
    try node.emit(.clip(Clip()), inputs)
  }
}
