import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let logic: [String: OnnxOperator] = [
    "Equal": comparison(.equal),
    "Less": comparison(.less),
    "LessOrEqual": comparison(.lessOrEqual),
    "Greater": comparison(.greater),
    "GreaterOrEqual": comparison(.greaterOrEqual),
    "And": logical(.and),
    "Or": logical(.or),
    "Xor": logical(.xor),
    "Not": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try node.emit(.logical(Logical(kind: .not)), node.inputs)
    },
    "Where": OnnxOperator(3...3) { (node) throws(ImportFault) in
      try node.emit(.select(Where()), node.inputs)
    },
    "IsNaN": OnnxOperator(1...1, build: isNaN),
    "IsInf": OnnxOperator(1...1, build: isInfinite),
  ]

  private static func comparison(_ kind: Comparison.Kind) -> OnnxOperator {
    OnnxOperator(2...2) { (node) throws(ImportFault) in
      try node.emit(.comparison(Comparison(kind: kind)), try alignedOperands(of: node))
    }
  }

  private static func logical(_ kind: Logical.Kind) -> OnnxOperator {
    OnnxOperator(2...2) { (node) throws(ImportFault) in
      try node.emit(.logical(Logical(kind: kind)), try alignedOperands(of: node))
    }
  }

  /// Only NaN is not equal to itself.
  private static func isNaN(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    try node.emit(.logical(Logical(kind: .not)), [try node.comparison(.equal, x, x, "same")])
  }

  private static func isInfinite(_ node: NodeBuilder) throws(ImportFault) {
    let x = try node.input(0)
    let negative = try node.flag("detect_negative", default: true)
    let positive = try node.flag("detect_positive", default: true)
    let infinity = try node.scalar(positive ? .infinity : -.infinity, like: x, "infinity")
    let compared = positive && negative ? try node.unary(.absolute, x, "magnitude") : x
    guard positive || negative else {
      // Nothing is less than −∞.
      return try node.emit(.comparison(Comparison(kind: .less)), [x, infinity])
    }
    try node.emit(.comparison(Comparison(kind: .equal)), [compared, infinity])
  }
}
