import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let controlFlow: [String: OnnxOperator] = [
    "If": OnnxOperator(1...1, build: condition)
  ]

  /// A condition that does not depend on the model's inputs chooses a branch, whose nodes take the
  /// place of this one.
  private static func condition(_ node: NodeBuilder) throws(ImportFault) {
    let branches = (
      then: try node.required("then_branch", try node.graph("then_branch")),
      else: try node.required("else_branch", try node.graph("else_branch"))
    )
    let condition = try node.needed(0)
    guard condition.count == 1, condition.elementType == .bool else {
      throw node.fault(
        .invalidValue(
          found: "\(condition.elementType)\(condition.shape)", expected: "one truth value"))
    }
    let branch = condition.bools[0] ? branches.then : branches.else
    let outputs = try node.assembly.inline(
      branch, in: node, inputs: [:], operatorSet: node.operatorSet, seesOuter: true)
    for (index, value) in outputs.enumerated() { try node.emitAlias(of: value, output: index) }
  }
}
