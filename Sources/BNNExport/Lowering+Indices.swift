import BNNFormat
import BNNGraph
import BNNTensor

/// Operators that pick, order or weigh elements.
extension Lowering {
  mutating func lowerIndexed(_ node: Node, index: Int) throws(ExportError.Reason) {
    switch node.op {
    case .topK(let top): try lower(top, node, index: index)
    case .cumulativeSum(let sum):
      let x = try node.required(0)
      let axes = try integers(node, 1)
      let axis = try identityAxis(axes.first ?? 0, of: x)
      try add(
        .cumulativeSum(axis: axis, exclusive: sum.exclusive, reverse: sum.reverse), of: node,
        index: index, inputs: [try plain(x)])
    case .gatherElements(let gather):
      let axis = try identityAxis(gather.axis, of: node.required(0))
      try add(.gatherElements(axis: axis), of: node, index: index, inputs: try plainInputs(node))
    case .gatherND(let gather):
      try add(
        .gatherND(batchDimensions: gather.batchDimensions), of: node, index: index,
        inputs: try plainInputs(node))
    case .scatterElements(let scatter):
      let axis = try identityAxis(scatter.axis, of: node.required(0))
      try add(
        .scatterElements(axis: axis, scatter.reduction), of: node, index: index,
        inputs: try plainInputs(node))
    case .scatterND(let scatter):
      try add(.scatterND(scatter.reduction), of: node, index: index, inputs: try plainInputs(node))
    case .maximumIndices(let maximum):
      guard try !dimensions(of: node.required(0)).contains(where: \.isBatch) else {
        throw .acrossBatch(axis: 0)
      }
      try add(
        .maximumIndices(
          maximum.window, ceiling: maximum.ceiling, columnMajor: maximum.columnMajor),
        of: node, index: index, inputs: try plainInputs(node))
    case .resize(let resize): try lower(resize, node, index: index)
    default: throw .unsupportedOperator
    }
  }

  private mutating func plainInputs(_ node: Node) throws(ExportError.Reason) -> [Int] {
    var inputs: [Int] = []
    for id in node.inputs.compactMap({ $0 }) {
      _ = try elementType(of: id)
      inputs.append(try plain(id))
    }
    return inputs
  }

  /// An axis in the source's own order.
  private func identityAxis(_ axis: Int, of id: ValueID) throws(ExportError.Reason) -> Int {
    try fixedAxis(axis, of: id, Array(try dimensions(of: id).indices))
  }

  private mutating func lower(
    _ top: TopK, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let axis = try identityAxis(top.axis, of: x)
    guard case .fixed(let count) = try dimensions(of: node.outputs[0])[axis] else {
      throw .acrossBatch(axis: axis)
    }
    try addLayer(
      .array(.topK(axis: axis, count: count, largest: top.largest)), of: index,
      inputs: [try plain(x)],
      results: [(node.outputs[0], try elementType(of: x)), (node.outputs[1], .int64)],
      layout: Array(try dimensions(of: x).indices))
  }

  private mutating func lower(
    _ resize: Resize, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let logical = try dimensions(of: x)
    let samples: [AxisSamples]
    do {
      samples = try resize.samples(facts(of: node))
    } catch {
      throw .unsupportedForm("a resize whose scales are not constant")
    }
    var tables: [ResampleTable?] = []
    for (axis, samples) in samples.enumerated() {
      if samples.isIdentity(of: logical[axis].extent(batch: 1)) {
        tables.append(nil)
        continue
      }
      guard !logical[axis].isBatch else { throw .acrossBatch(axis: axis) }
      let taps = samples.positions.flatMap(\.taps)
      guard !taps.isEmpty else { throw .unsupportedForm("a resize of nothing") }
      tables.append(ResampleTable(samples))
    }
    let form = try requireReals(x)
    try addLayer(
      .array(
        .resample(form.layout.map { tables[$0] }, outside: resize.extrapolationValue)),
      of: index, inputs: [form.modelValue], results: [(node.outputs[0], try elementType(of: x))],
      layout: form.layout)
  }

  /// What is known about a node's operands, for a batch of one.
  private func facts(of node: Node) -> [OperandFact?] {
    node.inputs.map { id in
      id.flatMap { graph[$0].type }.map { type in
        OperandFact(
          elementType: type.elementType, shape: type.dimensions.shape(batch: 1),
          value: id.flatMap { graph[$0].constant })
      }
    }
  }
}

extension ResampleTable {
  fileprivate init(_ samples: AxisSamples) {
    let counts = samples.positions.map { Int32($0.taps.count) }
    let taps = samples.positions.flatMap(\.taps)
    self.init(
      counts: Set(counts).count == 1 ? [counts[0]] : counts, indices: taps.map { Int32($0.index) },
      weights: taps.map(\.weight))
  }
}
