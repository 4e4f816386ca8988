import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let reductions: [String: OnnxOperator] = {
    var operators: [String: OnnxOperator] = [
      "ArgMax": extremum(isMaximum: true), "ArgMin": extremum(isMaximum: false),
    ]
    for kind in Reduce.Kind.allCases { operators[kind.rawValue] = reduction(kind) }
    return operators
  }()

  /// The axes became an input in version 13 for the sum and in 18 for the rest.
  private static func reduction(_ kind: Reduce.Kind) -> OnnxOperator {
    OnnxOperator(1...2) { (node) throws(ImportFault) in
      let reduce = Op.reduce(
        Reduce(
          kind: kind, keepDimensions: try node.flag("keepdims", default: true),
          emptyAxesIsIdentity: try node.flag("noop_with_empty_axes")))
      if node.operatorSet >= (kind == .sum ? 13 : 18) { return try node.emit(reduce, node.inputs) }
      try node.checkInputs(1...1)
      try node.emit(reduce, [try node.input(0), try node.constantAttribute("axes")])
    }
  }

  private static func extremum(isMaximum: Bool) -> OnnxOperator {
    OnnxOperator(1...1) { (node) throws(ImportFault) in
      let extremum = ArgumentExtremum(
        isMaximum: isMaximum, axis: try node.integer("axis") ?? 0,
        keepDimensions: try node.flag("keepdims", default: true),
        selectsLast: try node.flag("select_last_index"))
      try node.emit(.argumentExtremum(extremum), node.inputs)
    }
  }
}
