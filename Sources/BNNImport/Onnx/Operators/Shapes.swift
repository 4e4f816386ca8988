import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let shapes: [String: OnnxOperator] = [
    "Reshape": OnnxOperator(1...2, build: reshape),
    "Flatten": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try node.emit(.flatten(Flatten(axis: try node.integer("axis") ?? 1)), node.inputs)
    },
    "Transpose": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try node.emit(
        .transpose(Transpose(permutation: try node.integers("perm") ?? [])), node.inputs)
    },
    "Squeeze": OnnxOperator(1...2) { (node) throws(ImportFault) in
      try withAxes(node, .squeeze(Squeeze()))
    },
    "Unsqueeze": OnnxOperator(1...2) { (node) throws(ImportFault) in
      try withAxes(node, .unsqueeze(Unsqueeze()))
    },
    "Expand": OnnxOperator(2...2) { (node) throws(ImportFault) in
      try node.emit(.expand(Expand()), node.inputs)
    },
    "Tile": OnnxOperator(2...3, build: tile),
    "Shape": OnnxOperator(1...1) { (node) throws(ImportFault) in
      let shape = ShapeOf(
        start: try node.integer("start") ?? 0, end: try node.integer("end"))
      try node.emit(.shapeOf(shape), node.inputs)
    },
    "Size": OnnxOperator(1...1) { (node) throws(ImportFault) in
      try node.emit(.size(Size()), node.inputs)
    },
    "Pad": OnnxOperator(1...4, build: pad),
  ]

  /// The shape is an attribute before version 5 and an input since.
  private static func reshape(_ node: NodeBuilder) throws(ImportFault) {
    let op = Op.reshape(Reshape(allowsZero: try node.flag("allowzero")))
    if node.operatorSet >= 5 {
      try node.checkInputs(2...2)
      return try node.emit(op, node.inputs)
    }
    try node.checkInputs(1...1)
    let shape = try node.required("shape", try node.constantAttribute("shape"))
    try node.emit(op, [try node.input(0), shape])
  }

  /// Before version 6 one axis is tiled: the inputs are how often, and the axis.
  private static func tile(_ node: NodeBuilder) throws(ImportFault) {
    if node.operatorSet >= 6 {
      try node.checkInputs(2...2)
      return try node.emit(.tile(Tile()), node.inputs)
    }
    try node.checkInputs(3...3)
    let x = try node.input(0)
    var repeats = try node.extents(x).map { _ in 1 }
    let axis = try node.axis(try node.neededInteger(2), rank: repeats.count)
    repeats[axis] = try node.neededInteger(1)
    try node.emit(.tile(Tile()), [x, try node.constant(repeats, "repeats")])
  }

  /// The axes are an attribute before version 13 and an input since.
  private static func withAxes(_ node: NodeBuilder, _ op: Op) throws(ImportFault) {
    guard node.operatorSet < 13 else { return try node.emit(op, node.inputs) }
    try node.checkInputs(1...1)
    try node.emit(op, [try node.input(0), try node.constantAttribute("axes")])
  }

  /// The pads and their value are attributes before version 11 and inputs since.
  private static func pad(_ node: NodeBuilder) throws(ImportFault) {
    let mode = try node.choice("mode", default: Pad.Mode.constant)
    guard node.operatorSet < 11 else {
      _ = try node.input(1)
      return try node.emit(.pad(Pad(mode: mode)), node.inputs)
    }
    try node.checkInputs(1...1)
    let name = node.operatorSet < 2 ? "paddings" : "pads"
    let x = try node.input(0)
    let pads = try node.required(name, try node.constantAttribute(name))
    let value = try node.scalar(Double(try node.float("value") ?? 0), like: x, "value")
    try node.emit(.pad(Pad(mode: mode)), [x, pads, value])
  }
}
