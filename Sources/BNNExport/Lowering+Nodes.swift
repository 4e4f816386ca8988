import BNNFormat
import BNNGraph
import BNNTensor

extension Lowering {
  mutating func lower(_ node: Node, index: Int) throws(ExportError.Reason) {
    switch node.op {
    case .block(let block): try lower(block, node, index: index)
    case .convolution(let convolution): try lower(convolution, node, index: index)
    case .pool(let pool):
      try lower(Block(core: .pool(pool), epilogue: Epilogue()), node, index: index)
    case .elementwiseUnary(let unary):
      let epilogue = Epilogue(steps: [.function(unary.function)])
      try lower(Block(core: .pointwise, epilogue: epilogue), node, index: index)
    case .binarize(let binarize):
      let epilogue = Epilogue(output: .bits(binarize.thresholds))
      try lower(Block(core: .pointwise, epilogue: epilogue), node, index: index)
    case .binaryConvolution(let convolution):
      let block = Block(core: .binaryConvolution(convolution.geometry), epilogue: Epilogue())
      try lower(block, node, index: index)
    case .binaryPool(let pool): try lower(pool, node, index: index)
    case .concat(let concat): try lower(concat, node, index: index)
    case .elementwiseBinary(let binary) where binary.kind == .multiply && areSigns(node):
      try signProduct(node, index: index)
    case .reshape, .flatten, .squeeze, .unsqueeze: try reshape(node, index: index)
    case .transpose(let transpose): try lower(transpose, node)
    case .softmax(let softmax): try lower(softmax, node, index: index)
    case .reduce(let reduce): try lower(reduce, node, index: index)
    case .identity: try alias(node)
    default: try lowerArray(node, index: index)
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
    let bits = operands.allSatisfy(isBits)
    let layout = try commonLayout(operands, like: node.outputs[0])
    var inputs: [Int] = []
    for operand in operands { inputs.append(try require(operand, bits: bits, layout: layout)) }
    let axis = try fixedAxis(concat.axis, of: node.outputs[0], layout)
    let type = try bits ? .sign : elementType(of: node.outputs[0])
    try addLayer(
      .concatenate(axis: axis), of: index, inputs: inputs,
      results: [(node.outputs[0], type)], layout: layout)
  }

  /// Whether a node has two operands of the same dimensions that are there as bits.
  private func areSigns(_ node: Node) -> Bool {
    guard let a = node.input(0), let b = node.input(1) else { return false }
    return isBits(a) && isBits(b) && graph[a].type == graph[b].type
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

  /// Elements keep the source's order: from a layout that has it in memory if there is one. Where axes
  /// are only split or joined, other layouts keep theirs.
  private mutating func reshape(_ node: Node, index: Int) throws(ExportError.Reason) {
    let x = try node.required(0)
    let logical = try dimensions(of: x)
    let identity = Array(logical.indices)
    let bits = isBits(x)
    let output = node.outputs[0]
    let target = try dimensions(of: output)
    let forms = try forms(of: x).filter { $0.isBits == bits }
    var (input, layout) = (0, Array(target.indices))
    if let ready = forms.first(where: { keepsMemory($0.layout, identity, logical) }) {
      input = ready.modelValue
    } else if !bits, let form = forms.first, let parts = target.parts(of: logical) {
      input = form.modelValue
      layout = form.layout.flatMap { parts[$0] }
    } else if !bits, target.count > 3, !graph.outputs.contains(output),
      let parts = logical.parts(of: target)
    {
      layout = channelsLast(rank: target.count)
      input = try require(x, bits: false, layout: layout.flatMap { parts[$0] })
    } else {
      input = try require(x, bits: bits, layout: identity)
    }
    try addLayer(
      .reshape, of: index, inputs: [input],
      results: [(output, bits ? .sign : try elementType(of: output))], layout: layout)
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
      .softmax(axis: try fixedAxis(axis, of: x, form.layout), logarithm: softmax.logarithm),
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
    let type = try elementType(of: x)
    guard type == .float32 || (type != .bool && reduce.kind.allowsIntegers) else {
      throw .unsupportedForm("\(reduce.kind.rawValue) of \(type)")
    }
    let form = try requireReals(x)
    var physical: [Int] = []
    for axis in axes { physical.append(try fixedAxis(axis, of: x, form.layout)) }
    let layout = form.layout.reduced(axes, keepDimensions: reduce.keepDimensions)
    try addLayer(
      .reduce(reduce.kind, axes: physical.sorted(), keepDimensions: reduce.keepDimensions),
      of: index, inputs: [form.modelValue], results: [(node.outputs[0], type)], layout: layout)
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

  /// Where an axis along which elements are joined or mixed lies in a layout.
  func fixedAxis(
    _ axis: Int, of id: ValueID, _ layout: [Int]
  ) throws(ExportError.Reason) -> Int {
    let logical = axis < 0 ? axis + layout.count : axis
    guard let physical = layout.firstIndex(of: logical) else {
      throw .unsupportedForm("axis \(axis)")
    }
    guard try !dimensions(of: id)[logical].isBatch else { throw .acrossBatch(axis: logical) }
    return physical
  }

  /// The layout in which operands are joined or broadcast: one in which the first of them that has
  /// all axes of the result is there.
  mutating func commonLayout(
    _ operands: [ValueID], like result: ValueID
  ) throws(ExportError.Reason) -> [Int] {
    let rank = try dimensions(of: result).count
    for operand in operands
    where graph[operand].constant == nil && graph[operand].type?.rank == rank {
      return try forms(of: operand)[0].layout
    }
    return Array(0..<rank)
  }
}

extension [Int] {
  /// A layout after some axes were reduced: those that are left get new numbers.
  func reduced(_ axes: Set<Int>, keepDimensions: Bool) -> [Int] {
    guard !keepDimensions else { return self }
    let left = indices.filter { !axes.contains($0) }
    return compactMap { left.firstIndex(of: $0) }
  }
}

extension [Dimension] {
  /// The axes here that together are each axis of a coarser list, in order; nil where an axis here
  /// would be parts of two.
  fileprivate func parts(of coarse: [Dimension]) -> [[Int]]? {
    var parts: [[Int]] = []
    var next = 0
    for dimension in coarse {
      var part: [Int] = []
      switch dimension {
      case .fixed(let extent):
        var product = 1
        while next < count, case .fixed(let own) = self[next], product * own <= extent,
          product < extent || own == 1
        {
          part.append(next)
          product *= own
          next += 1
        }
        guard product == extent else { return nil }
      default:
        guard next < count, self[next] == dimension else { return nil }
        part.append(next)
        next += 1
      }
      parts.append(part)
    }
    return next == count ? parts : nil
  }
}
