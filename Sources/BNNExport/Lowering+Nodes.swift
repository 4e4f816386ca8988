import BNNFormat
import BNNGraph
import BNNTensor

extension Lowering {
  mutating func lower(_ node: Node, index: Int) throws(ExportError.Reason) {
    switch node.op {
    case .block(let block): try lower(block, node, index: index)
    case .binaryPool(let pool): try lower(pool, node, index: index)
    case .concat(let concat): try lower(concat, node, index: index)
    case .elementwiseBinary(let binary) where binary.kind == .multiply:
      try signProduct(node, index: index)
    case .reshape, .flatten, .squeeze, .unsqueeze: try reshape(node, index: index)
    case .transpose(let transpose): try lower(transpose, node)
    case .gather(let gather): try lower(gather, node, index: index)
    case .softmax(let softmax): try lower(softmax, node, index: index)
    case .reduce(let reduce): try lower(reduce, node, index: index)
    case .identity: try alias(node)
    case .cast(let cast): try lower(cast, node)
    default: throw .unsupportedOperator
    }
  }

  private mutating func lower(
    _ pool: BinaryPool, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let layout = channelsLast(rank: try dimensions(of: x).count)
    let input = try require(x, bits: true, layout: layout)
    try addLayer(
      .binaryPool(pool.window, ceiling: pool.ceiling, inverted: pool.inverted), of: index,
      inputs: [input], results: [(node.outputs[0], .sign)], layout: layout)
  }

  private mutating func lower(
    _ concat: Concat, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let operands = node.inputs.compactMap { $0 }
    let rank = try dimensions(of: node.outputs[0]).count
    let layout = channelsLast(rank: rank)
    let bits = operands.allSatisfy(isBits)
    var inputs: [Int] = []
    for operand in operands { inputs.append(try require(operand, bits: bits, layout: layout)) }
    let axis = try physicalAxis(concat.axis, layout)
    try addLayer(
      .concatenate(axis: axis), of: index, inputs: inputs,
      results: [(node.outputs[0], bits ? .sign : .float32)], layout: layout)
  }

  private mutating func signProduct(_ node: Node, index: Int) throws(ExportError.Reason) {
    let layout = channelsLast(rank: try dimensions(of: node.outputs[0]).count)
    let inputs = [
      try require(try node.required(0), bits: true, layout: layout),
      try require(try node.required(1), bits: true, layout: layout),
    ]
    try addLayer(
      .signProduct, of: index, inputs: inputs, results: [(node.outputs[0], .sign)],
      layout: layout)
  }

  /// Elements keep the source's order: from a layout that has it in memory if there is one.
  private mutating func reshape(_ node: Node, index: Int) throws(ExportError.Reason) {
    let x = try node.required(0)
    let logical = try dimensions(of: x)
    let identity = Array(logical.indices)
    let bits = isBits(x)
    let output = node.outputs[0]
    let forms = try forms(of: x).filter { $0.isBits == bits }
    let ready = forms.first { keepsMemory($0.layout, identity, logical) }
    let input =
      if let ready { ready.modelValue } else { try require(x, bits: bits, layout: identity) }
    try addLayer(
      .reshape, of: index, inputs: [input], results: [(output, bits ? .sign : .float32)],
      layout: Array(try dimensions(of: output).indices))
  }

  /// No layer: the same memory is read in another layout.
  private mutating func lower(_ transpose: Transpose, _ node: Node) throws(ExportError.Reason) {
    let x = try node.required(0)
    let rank = try dimensions(of: x).count
    let permutation =
      transpose.permutation.isEmpty ? Array((0..<rank).reversed()) : transpose.permutation
    for form in try forms(of: x) {
      let layout = form.layout.compactMap { permutation.firstIndex(of: $0) }
      addForm(
        .init(isBits: form.isBits, layout: layout, modelValue: form.modelValue),
        of: node.outputs[0])
    }
  }

  private mutating func alias(_ node: Node) throws(ExportError.Reason) {
    for form in try forms(of: try node.required(0)) { addForm(form, of: node.outputs[0]) }
  }

  /// Model inputs are read as float32 whatever their type is, so that a cast of one does nothing.
  private mutating func lower(_ cast: Cast, _ node: Node) throws(ExportError.Reason) {
    let x = try node.required(0)
    guard graph.inputs.contains(x), graph[node.outputs[0]].type?.elementType == .float32 else {
      throw .unsupportedForm("a cast between layers")
    }
    try alias(node)
  }

  private mutating func lower(
    _ gather: Gather, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let logical = try dimensions(of: x)
    guard let indices = graph[try node.required(1)].constant else {
      throw .constantExpected(input: 1)
    }
    let axis = gather.axis < 0 ? gather.axis + logical.count : gather.axis
    guard axis >= 1, axis < logical.count, indices.shape.rank == 1,
      case .fixed(let extent) = logical[axis]
    else { throw .unsupportedForm("indices \(indices.shape) along axis \(gather.axis)") }
    let layout = logical.indices.filter { $0 != axis } + [axis]
    let bits = isBits(x)
    let input = try require(x, bits: bits, layout: layout)
    let positions = indices.integers.map { $0 < 0 ? Int($0) + extent : Int($0) }
    try addLayer(
      .gatherChannels(indices: positions), of: index, inputs: [input],
      results: [(node.outputs[0], bits ? .sign : .float32)], layout: layout)
  }

  private mutating func lower(
    _ softmax: Softmax, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let logical = try dimensions(of: x)
    let axis = softmax.axis < 0 ? softmax.axis + logical.count : softmax.axis
    let trailing = logical.dropFirst(axis + 1)
    guard !softmax.flattens || trailing.allSatisfy({ $0 == .fixed(1) }) else {
      throw .unsupportedForm("a softmax over several axes")
    }
    let form = try requireReals(x)
    try addLayer(
      .softmax(axis: try physicalAxis(axis, form.layout), logarithm: softmax.logarithm),
      of: index, inputs: [form.modelValue], results: [(node.outputs[0], .float32)],
      layout: form.layout)
  }

  private mutating func lower(
    _ reduce: Reduce, _ node: Node, index: Int
  ) throws(ExportError.Reason) {
    let x = try node.required(0)
    let rank = try dimensions(of: x).count
    let axes = try reducedAxes(reduce, node, rank: rank)
    guard !axes.isEmpty else { return try alias(node) }
    guard let kind = reduce.kind.layerKind else {
      throw .unsupportedForm("\(reduce.kind.rawValue)")
    }
    let form = try requireReals(x)
    var physical: [Int] = []
    for axis in axes { physical.append(try physicalAxis(axis, form.layout)) }
    var layout = form.layout
    if !reduce.keepDimensions {
      // The axes that are left get new numbers.
      let left = (0..<rank).filter { !axes.contains($0) }
      layout = form.layout.compactMap { left.firstIndex(of: $0) }
    }
    try addLayer(
      .reduce(kind, axes: physical.sorted(), keepDimensions: reduce.keepDimensions), of: index,
      inputs: [form.modelValue], results: [(node.outputs[0], .float32)], layout: layout)
  }

  private func reducedAxes(
    _ reduce: Reduce, _ node: Node, rank: Int
  ) throws(ExportError.Reason) -> Set<Int> {
    var axes: [Int64] = []
    if let input = node.input(1) {
      guard let constant = graph[input].constant else { throw .constantExpected(input: 1) }
      axes = constant.integers
    }
    if axes.isEmpty { return reduce.emptyAxesIsIdentity ? [] : Set(0..<rank) }
    return Set(axes.map { Int($0 < 0 ? $0 + Int64(rank) : $0) })
  }

  private func physicalAxis(_ axis: Int, _ layout: [Int]) throws(ExportError.Reason) -> Int {
    let logical = axis < 0 ? axis + layout.count : axis
    guard let physical = layout.firstIndex(of: logical) else {
      throw .unsupportedForm("axis \(axis)")
    }
    return physical
  }
}

extension Reduce.Kind {
  fileprivate var layerKind: ReduceKind? {
    switch self {
    case .mean: .mean
    case .sum: .sum
    case .maximum: .maximum
    case .minimum: .minimum
    default: nil
    }
  }
}
