import BNNGraph
import BNNTensor

extension ArchitectureOperator {
  static let activations: [String: ArchitectureOperator] = [
    "sign": ArchitectureOperator { (step) throws(ImportFault) in try sign(step) },
    "relu": pointwise(.relu),
    "sigmoid": pointwise(.sigmoid),
    "tanh": pointwise(.tanh),
    "hard_swish": pointwise(.hardSwish),
    "absolute": pointwise(.absolute),
    "negate": pointwise(.negate),
    "round": pointwise(.roundHalfToEven),
    "floor": pointwise(.floor),
    "exponential": pointwise(.exponential),
    "square_root": pointwise(.squareRoot),
    "identity": ArchitectureOperator { (step) throws(ImportFault) in
      try step.apply(.identity(Identity()), step.operands)
    },
    "hard_sigmoid": ArchitectureOperator { (step) throws(ImportFault) in
      let alpha = try step.reader.float("alpha") ?? 1 / 6
      let beta = try step.reader.float("beta") ?? 0.5
      let function = PointwiseFunction.hardSigmoid(alpha: alpha, beta: beta)
      return try step.apply(
        .elementwiseUnary(ElementwiseUnary(function: function)), step.operands)
    },
    "leaky_relu": ArchitectureOperator { (step) throws(ImportFault) in
      let function = PointwiseFunction.leakyRelu(alpha: try step.reader.float("slope") ?? 0.01)
      return try step.apply(
        .elementwiseUnary(ElementwiseUnary(function: function)), step.operands)
    },
    "prelu": ArchitectureOperator { (step) throws(ImportFault) in
      try step.apply(.pRelu(PRelu()), step.operands + [try step.channelParameter("slopes")])
    },
    "two_slopes": ArchitectureOperator { (step) throws(ImportFault) in try twoSlopes(step) },
    "clip": ArchitectureOperator { (step) throws(ImportFault) in
      let lower = try step.reader.required("min", try step.reader.float("min"))
      let upper = try step.reader.required("max", try step.reader.float("max"))
      return try step.apply(
        .clip(Clip()), step.operands + [step.scalar(lower, "min"), step.scalar(upper, "max")])
    },
    "softmax": softmax(logarithm: false),
    "log_softmax": softmax(logarithm: true),
  ]

  private static func pointwise(_ function: PointwiseFunction) -> ArchitectureOperator {
    ArchitectureOperator { (step) throws(ImportFault) in
      try step.apply(.elementwiseUnary(ElementwiseUnary(function: function)), step.operands)
    }
  }

  /// `at_zero` says what 0 becomes: 0 as ONNX's operator does it, or 1 or −1 by a comparison.
  private static func sign(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let x = step.operands[0]
    let atZero = try step.reader.integer("at_zero", in: -1...1) ?? 0
    guard atZero != 0 else {
      return try step.apply(.elementwiseUnary(ElementwiseUnary(function: .sign)), [x])
    }
    let isPlus = try step.apply(
      .comparison(Comparison(kind: atZero > 0 ? .greaterOrEqual : .greater)),
      [x, step.scalar(0, "zero")], name: "sign/plus")
    return try step.apply(
      .select(Where()), [isPlus, step.scalar(1, "plus"), step.scalar(-1, "minus")])
  }

  /// One slope per channel for positive numbers and one for the rest.
  private static func twoSlopes(_ step: StepBuilder) throws(ImportFault) -> ValueID {
    let x = step.operands[0]
    let multiply = Op.elementwiseBinary(ElementwiseBinary(kind: .multiply))
    let isPositive = try step.apply(
      .comparison(Comparison(kind: .greater)), [x, step.scalar(0, "zero")],
      name: "two_slopes/positive")
    let above = try step.apply(multiply, [x, try step.channelParameter("positive")])
    let below = try step.apply(multiply, [x, try step.channelParameter("negative")])
    return try step.apply(.select(Where()), [isPositive, above, below])
  }

  private static func softmax(logarithm: Bool) -> ArchitectureOperator {
    ArchitectureOperator { (step) throws(ImportFault) in
      let axis = try step.reader.integer("axis", in: -1024...1024) ?? -1
      return try step.apply(
        .softmax(Softmax(axis: axis, logarithm: logarithm)), step.operands)
    }
  }
}
