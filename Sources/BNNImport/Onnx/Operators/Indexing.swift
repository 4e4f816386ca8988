import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let indexing: [String: OnnxOperator] = [
    "Concat": OnnxOperator(anyNumber, build: concat),
    "Split": OnnxOperator(1...2, build: split),
    "Slice": OnnxOperator(1...5, build: slice),
    "Gather": OnnxOperator(2...2) { (node) throws(ImportFault) in
      try node.emit(.gather(Gather(axis: try node.integer("axis") ?? 0)), node.inputs)
    },
    "GatherElements": OnnxOperator(2...2) { (node) throws(ImportFault) in
      let gather = GatherElements(axis: try node.integer("axis") ?? 0)
      try node.emit(.gatherElements(gather), node.inputs)
    },
    "GatherND": OnnxOperator(2...2) { (node) throws(ImportFault) in
      let gather = GatherND(batchDimensions: try node.integer("batch_dims") ?? 0)
      try node.emit(.gatherND(gather), node.inputs)
    },
    "Scatter": OnnxOperator(3...3, build: scatterElements),
    "ScatterElements": OnnxOperator(3...3, build: scatterElements),
    "ScatterND": OnnxOperator(3...3) { (node) throws(ImportFault) in
      try node.emit(
        .scatterND(ScatterND(reduction: try node.choice("reduction", default: .none))), node.inputs)
    },
  ]

  private static func concat(_ node: NodeBuilder) throws(ImportFault) {
    let axis = try node.integer("axis") ?? (node.operatorSet < 4 ? 1 : nil)
    try node.emit(.concat(Concat(axis: try node.required("axis", axis))), node.inputs)
  }

  /// The lengths are an attribute before version 13 and an input since.
  private static func split(_ node: NodeBuilder) throws(ImportFault) {
    let parts = node.source.outputs.count
    if node.operatorSet >= 18, let count = try node.integer("num_outputs"), count != parts {
      throw node.invalid("num_outputs", "\(count)", "\(parts), the number of outputs")
    }
    let op = Op.split(Split(axis: try node.integer("axis") ?? 0, parts: parts))
    guard node.operatorSet < 13 else { return try node.emit(op, node.inputs, outputs: parts) }
    if node.operatorSet >= 2 { try node.checkInputs(1...1) }
    let lengths = try node.constantAttribute("split") ?? node.optionalInput(1)
    try node.emit(op, [try node.input(0), lengths], outputs: parts)
  }

  /// All but the data are attributes before version 10 and inputs since.
  private static func slice(_ node: NodeBuilder) throws(ImportFault) {
    guard node.operatorSet < 10 else {
      try node.checkInputs(3...5)
      return try node.emit(.slice(Slice()), node.inputs)
    }
    try node.checkInputs(1...1)
    let starts = try node.required("starts", try node.constantAttribute("starts"))
    let ends = try node.required("ends", try node.constantAttribute("ends"))
    try node.emit(
      .slice(Slice()),
      [try node.input(0), starts, ends, try node.constantAttribute("axes")])
  }

  private static func scatterElements(_ node: NodeBuilder) throws(ImportFault) {
    let scatter = ScatterElements(
      axis: try node.integer("axis") ?? 0, reduction: try node.choice("reduction", default: .none))
    try node.emit(.scatterElements(scatter), node.inputs)
  }
}
