import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let indexing: [String: OnnxOperator] = [
    "Concat": OnnxOperator(anyNumber, build: concat),
    "Split": OnnxOperator(1...2, build: split),
    "Slice": OnnxOperator(1...5, build: slice),
    "Gather": OnnxOperator(2...2) { (node) throws(ImportFault) in
      node.emit(.gather(Gather(axis: try node.integer("axis") ?? 0)), node.inputs)
    },
  ]

  private static func concat(_ node: NodeBuilder) throws(ImportFault) {
    let axis = try node.integer("axis") ?? (node.operatorSet < 4 ? 1 : nil)
    node.emit(.concat(Concat(axis: try node.required("axis", axis))), node.inputs)
  }

  /// The lengths are an attribute before version 13 and an input since.
  private static func split(_ node: NodeBuilder) throws(ImportFault) {
    let parts = node.source.outputs.count
    if node.operatorSet >= 18, let count = try node.integer("num_outputs"), count != parts {
      throw node.invalid("num_outputs", "\(count)", "\(parts), the number of outputs")
    }
    let op = Op.split(Split(axis: try node.integer("axis") ?? 0, parts: parts))
    guard node.operatorSet < 13 else { return node.emit(op, node.inputs, outputs: parts) }
    if node.operatorSet >= 2 { try node.checkInputs(1...1) }
    var inputs = node.inputs
    if let lengths = try node.integers("split") {
      inputs = [try node.input(0), node.constant(lengths, "lengths")]
    }
    node.emit(op, inputs, outputs: parts)
  }

  /// All but the data are attributes before version 10 and inputs since.
  private static func slice(_ node: NodeBuilder) throws(ImportFault) {
    guard node.operatorSet < 10 else {
      try node.checkInputs(3...5)
      return node.emit(.slice(Slice()), node.inputs)
    }
    try node.checkInputs(1...1)
    let starts = try node.required("starts", try node.integers("starts"))
    let ends = try node.required("ends", try node.integers("ends"))
    let axes = try node.integers("axes").map { node.constant($0, "axes") }
    node.emit(
      .slice(Slice()),
      [try node.input(0), node.constant(starts, "starts"), node.constant(ends, "ends"), axes])
  }
}
