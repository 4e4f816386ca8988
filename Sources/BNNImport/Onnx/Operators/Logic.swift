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
    "Not": OnnxOperator(1...1) { $0.emit(.logical(Logical(kind: .not)), $0.inputs, type: .bool) },
    "Where": OnnxOperator(3...3) {
      $0.emit(.select(Where()), $0.inputs, type: $0.elementType(1) ?? $0.elementType(2))
    },
  ]

  private static func comparison(_ kind: Comparison.Kind) -> OnnxOperator {
    OnnxOperator(2...2) { node in
      ignoreOldBroadcast(node)
      node.emit(.comparison(Comparison(kind: kind)), node.inputs, type: .bool)
    }
  }

  private static func logical(_ kind: Logical.Kind) -> OnnxOperator {
    OnnxOperator(2...2) { node in
      ignoreOldBroadcast(node)
      node.emit(.logical(Logical(kind: kind)), node.inputs, type: .bool)
    }
  }
}
