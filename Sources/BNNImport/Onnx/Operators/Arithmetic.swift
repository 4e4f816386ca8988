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
  ]

  private static func pair(_ kind: ElementwiseBinary.Kind) -> OnnxOperator {
    OnnxOperator(2...2) { node in
      ignoreOldBroadcast(node)
      node.emit(.elementwiseBinary(ElementwiseBinary(kind: kind)), node.inputs)
    }
  }

  /// Before version 7 broadcasting was asked for by an attribute; without `axis`, which stays
  /// refused, it means the same as today.
  static func ignoreOldBroadcast(_ node: NodeBuilder) {
    if node.operatorSet < 7 { node.ignore("broadcast") }
  }

  private static func remainder(_ node: NodeBuilder) throws(ImportFault) {
    let truncates = try node.flag("fmod")
    if truncates, node.elementType(0).map({ $0.isInteger }) ?? false {
      throw node.invalid("fmod", "1", "0 for integers")
    }
    node.emit(.elementwiseBinary(ElementwiseBinary(kind: .remainder)), node.inputs)
  }

  /// An operator for any number of operands as a chain of one for two.
  private static func chain(_ kind: ElementwiseBinary.Kind) -> OnnxOperator {
    OnnxOperator(anyNumber) { (node) throws(ImportFault) in
      let operands = try operands(of: node)
      guard operands.count >= 2, let last = operands.last else {
        return node.emit(.identity(Identity()), operands)
      }
      let op = Op.elementwiseBinary(ElementwiseBinary(kind: kind))
      node.emit(op, [join(operands.dropLast(), op, node), last])
    }
  }

  private static func join(
    _ operands: ArraySlice<ValueID>, _ op: Op, _ node: NodeBuilder
  ) -> ValueID {
    var result = operands[operands.startIndex]
    for (index, operand) in operands.dropFirst().enumerated() {
      result = node.intermediate(op, [result, operand], "\(index + 1)")
    }
    return result
  }

  private static func mean(_ node: NodeBuilder) throws(ImportFault) {
    let operands = try operands(of: node)
    let add = Op.elementwiseBinary(ElementwiseBinary(kind: .add))
    let sum = join(operands[...], add, node)
    node.emit(
      .elementwiseBinary(ElementwiseBinary(kind: .divide)),
      [sum, node.scalar(Float(operands.count), "count")])
  }

  private static func operands(of node: NodeBuilder) throws(ImportFault) -> [ValueID] {
    var operands: [ValueID] = []
    for index in node.source.inputs.indices { operands.append(try node.input(index)) }
    return operands
  }
}
