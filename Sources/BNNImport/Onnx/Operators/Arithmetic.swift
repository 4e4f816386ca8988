import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let arithmetic: [String: OnnxOperator] = [
    "Abs": pointwise(.absolute),
    "Neg": pointwise(.negate),
    "Reciprocal": pointwise(.reciprocal),
    "Sqrt": pointwise(.squareRoot),
    "Exp": pointwise(.exponential),
    "Log": pointwise(.logarithm),
    "Floor": pointwise(.floor),
    "Ceil": pointwise(.ceiling),
    "Round": pointwise(.roundHalfToEven),
    "Erf": pointwise(.erf),
    "Sign": pointwise(.sign),
    "Sin": pointwise(.sine),
    "Cos": pointwise(.cosine),
    "Tan": pointwise(.tangent),
    "Asin": pointwise(.arcsine),
    "Acos": pointwise(.arccosine),
    "Atan": pointwise(.arctangent),
    "Sinh": pointwise(.hyperbolicSine),
    "Cosh": pointwise(.hyperbolicCosine),
    "Asinh": pointwise(.inverseHyperbolicSine),
    "Acosh": pointwise(.inverseHyperbolicCosine),
    "Atanh": pointwise(.inverseHyperbolicTangent),
    "Add": pair(.add),
    "Sub": pair(.subtract),
    "Mul": pair(.multiply),
    "Div": pair(.divide),
    "Pow": pair(.power),
    "Mod": OnnxOperator(2...2, build: remainder),
    "Max": chain(.maximum),
    "Min": chain(.minimum),
    "Sum": chain(.add),
    "Mean": OnnxOperator(anyNumber, build: mean),
    "BitShift": OnnxOperator(2...2, build: shift),
    "BitwiseAnd": bitwise(.and),
    "BitwiseOr": bitwise(.or),
    "BitwiseXor": bitwise(.xor),
    "BitwiseNot": bitwise(.not),
  ]

  private static func pair(_ kind: ElementwiseBinary.Kind) -> OnnxOperator {
    OnnxOperator(2...2) { (node) throws(ImportFault) in
      try node.emit(
        .elementwiseBinary(ElementwiseBinary(kind: kind)), try alignedOperands(of: node))
    }
  }

  /// Both operands. Before version 7 broadcasting was asked for by an attribute, and another one
  /// could say at which axis of the first operand the second one begins.
  static func alignedOperands(of node: NodeBuilder) throws(ImportFault) -> [ValueID?] {
    let (a, b) = (try node.input(0), try node.input(1))
    guard node.operatorSet < 7 else { return [a, b] }
    node.ignore("broadcast")
    guard let axis = try node.integer("axis") else { return [a, b] }
    let (rank, own) = (try node.extents(a).count, try node.extents(b).count)
    let first = try node.axis(axis, rank: max(rank, 1))
    guard first + own <= rank else {
      throw node.invalid("axis", "\(axis)", "room for \(own) of \(rank) dimensions")
    }
    return [a, try node.appendingAxes(b, count: rank - first - own, "aligned")]
  }

  /// The remainder of floats has the sign of the dividend. That of integers has it where `fmod`
  /// says so: a − b · (a / b), since their division truncates.
  private static func remainder(_ node: NodeBuilder) throws(ImportFault) {
    guard try node.flag("fmod"), node.elementType(0)?.isInteger ?? false else {
      return try node.emit(
        .elementwiseBinary(ElementwiseBinary(kind: .remainder)), node.inputs)
    }
    let (a, b) = (try node.input(0), try node.input(1))
    let quotient = try node.binary(.divide, a, b, "quotient")
    let whole = try node.binary(.multiply, quotient, b, "whole")
    try node.emit(.elementwiseBinary(ElementwiseBinary(kind: .subtract)), [a, whole])
  }

  /// An operator for any number of operands as a chain of one for two.
  private static func chain(_ kind: ElementwiseBinary.Kind) -> OnnxOperator {
    OnnxOperator(anyNumber) { (node) throws(ImportFault) in
      let operands = try operands(of: node)
      guard operands.count >= 2, let last = operands.last else {
        return try node.emit(.identity(Identity()), operands)
      }
      let sum = try join(operands.dropLast(), kind, node)
      try node.emit(.elementwiseBinary(ElementwiseBinary(kind: kind)), [sum, last])
    }
  }

  private static func join(
    _ operands: ArraySlice<ValueID>, _ kind: ElementwiseBinary.Kind, _ node: NodeBuilder
  ) throws(ImportFault) -> ValueID {
    var result = operands[operands.startIndex]
    for (index, operand) in operands.dropFirst().enumerated() {
      result = try node.binary(kind, result, operand, "\(index + 1)")
    }
    return result
  }

  private static func mean(_ node: NodeBuilder) throws(ImportFault) {
    let operands = try operands(of: node)
    let sum = try join(operands[...], .add, node)
    try node.emit(
      .elementwiseBinary(ElementwiseBinary(kind: .divide)),
      [sum, try node.scalar(Double(operands.count), like: sum, "count")])
  }

  private static func operands(of node: NodeBuilder) throws(ImportFault) -> [ValueID] {
    var operands: [ValueID] = []
    for index in node.source.inputs.indices { operands.append(try node.input(index)) }
    return operands
  }

  private static func shift(_ node: NodeBuilder) throws(ImportFault) {
    let spelling = try node.required("direction", try node.string("direction"))
    guard spelling == "LEFT" || spelling == "RIGHT" else {
      throw node.invalid("direction", spelling, "LEFT or RIGHT")
    }
    let kind: Bitwise.Kind = spelling == "LEFT" ? .shiftLeft : .shiftRight
    try node.emit(.bitwise(Bitwise(kind: kind)), node.inputs)
  }

  private static func bitwise(_ kind: Bitwise.Kind) -> OnnxOperator {
    let count = kind == .not ? 1 : 2
    return OnnxOperator(count...count) { (node) throws(ImportFault) in
      try node.emit(.bitwise(Bitwise(kind: kind)), node.inputs)
    }
  }
}
