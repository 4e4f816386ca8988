import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let shapes: [String: OnnxOperator] = [
    // Before version 5 the shape is an attribute.
    "Reshape": OnnxOperator(2...2, since: 5) { (node) throws(ImportFault) in
      node.emit(.reshape(Reshape(allowsZero: try node.flag("allowzero"))), node.inputs)
    },
    "Flatten": OnnxOperator(1...1) { (node) throws(ImportFault) in
      node.emit(.flatten(Flatten(axis: try node.integer("axis") ?? 1)), node.inputs)
    },
    "Transpose": OnnxOperator(1...1) { (node) throws(ImportFault) in
      node.emit(
        .transpose(Transpose(permutation: try node.integers("perm") ?? [])), node.inputs)
    },
    "Squeeze": OnnxOperator(1...2) { (node) throws(ImportFault) in
      try withAxes(node, .squeeze(Squeeze()))
    },
    "Unsqueeze": OnnxOperator(1...2) { (node) throws(ImportFault) in
      try withAxes(node, .unsqueeze(Unsqueeze()))
    },
    "Expand": OnnxOperator(2...2) { $0.emit(.expand(Expand()), $0.inputs) },
    // Version 1 tiles one axis only.
    "Tile": OnnxOperator(2...2, since: 6) { $0.emit(.tile(Tile()), $0.inputs) },
    "Shape": OnnxOperator(1...1) { (node) throws(ImportFault) in
      let shape = ShapeOf(
        start: try node.integer("start") ?? 0, end: try node.integer("end"))
      node.emit(.shapeOf(shape), node.inputs, type: .int64)
    },
    "Size": OnnxOperator(1...1) { $0.emit(.size(Size()), $0.inputs, type: .int64) },
    "Pad": OnnxOperator(1...4, build: pad),
  ]

  /// The axes are an attribute before version 13 and an input since.
  private static func withAxes(_ node: NodeBuilder, _ op: Op) throws(ImportFault) {
    guard node.operatorSet < 13 else { return node.emit(op, node.inputs) }
    try node.checkInputs(1...1)
    let axes = try node.integers("axes").map { node.constant($0, "axes") }
    node.emit(op, [try node.input(0)] + (axes.map { [$0] } ?? []))
  }

  /// The pads and their value are attributes before version 11 and inputs since.
  private static func pad(_ node: NodeBuilder) throws(ImportFault) {
    let spelling = try node.string("mode") ?? "constant"
    guard let mode = Pad.Mode(rawValue: spelling) else {
      throw node.invalid(
        "mode", spelling, Pad.Mode.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard node.operatorSet < 11 else {
      _ = try node.input(1)
      return node.emit(.pad(Pad(mode: mode)), node.inputs)
    }
    try node.checkInputs(1...1)
    let name = node.operatorSet < 2 ? "paddings" : "pads"
    let pads = node.constant(try node.required(name, try node.integers(name)), "pads")
    let value = node.scalar(try node.float("value") ?? 0, "value")
    node.emit(.pad(Pad(mode: mode)), [try node.input(0), pads, value])
  }
}
