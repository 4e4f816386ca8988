import BNNFormat
import BNNGraph
import BNNTensor

extension Lowering {
  /// A block becomes the layer of its core with the same epilogue.
  mutating func lower(_ block: Block, _ node: Node, index: Int) throws(ExportError.Reason) {
    let x = try node.required(0)
    let rank = try dimensions(of: x).count
    let layout = try sequenceLayout(block, node, x) ?? channelsLast(rank: rank)
    let bits = if case .binaryConvolution = block.core { true } else { false }
    var inputs = [try require(x, bits: bits, layout: layout)]
    let resultRank = try dimensions(of: node.outputs[0]).count
    for operand in node.inputs.dropFirst(block.core.inputCount) {
      guard let operand else { throw .unsupportedForm("a missing operand") }
      inputs.append(try blockOperand(operand, rank: resultRank, layout))
    }
    let (epilogue, results) = trimmed(block.epilogue, outputs: node.outputs)
    let operation: BNNFormat.Operation
    switch block.core {
    case .binaryConvolution(let geometry):
      guard case .signs(let packed) = try weights(of: node) else {
        throw .unsupportedForm("a binary convolution with real-valued weights")
      }
      operation = .binaryConvolution(geometry, weights: packed, epilogue)
    case .convolution(let geometry):
      operation = .convolution(geometry, weights: try weights(of: node), epilogue)
    case .pool(let pool):
      operation = .pool(
        pool.kind.layerKind, try window(of: pool, input: x), ceiling: pool.ceiling, epilogue)
    case .pointwise:
      operation = .pointwise(epilogue)
    }
    try addLayer(operation, of: index, inputs: inputs, results: results, layout: layout)
  }

  /// The layout that a sequence is there in, for a block that does the same to all of its numbers: those
  /// between matrix products do not need their channels last. nil where that is how it is read.
  private mutating func sequenceLayout(
    _ block: Block, _ node: Node, _ x: ValueID
  ) throws(ExportError.Reason) -> [Int]? {
    guard block.core == .pointwise, block.epilogue.isUniform, try dimensions(of: x).count == 3,
      node.inputs.dropFirst().allSatisfy({ $0.map { graph[$0].type == graph[x].type } ?? false }),
      let form = try forms(of: x).first(where: { !$0.isBits }),
      form.layout != channelsLast(rank: 3),
      !graph.nodes.contains(where: { reader in
        reader.readsWindows && node.outputs.contains { reader.inputs.contains($0) }
      })
    else { return nil }
    return form.layout
  }

  /// Leaves out the real values or the bits when nothing reads them.
  private func trimmed(
    _ epilogue: Epilogue, outputs: [ValueID]
  ) -> (Epilogue, [(id: ValueID, type: ElementType)]) {
    var epilogue = epilogue
    var outputs = outputs
    if case .valuesAndBits(let thresholds) = epilogue.output, outputs.count == 2 {
      if !isLive(outputs[1]) {
        epilogue.output = .values
        outputs.removeLast()
      } else if !isLive(outputs[0]) {
        epilogue.output = .bits(thresholds)
        outputs.removeFirst()
      }
    }
    return (epilogue, zip(outputs, epilogue.outputTypes).map { (id: $0, type: $1) })
  }

  /// An operand of a block's epilogue; [N, C] stands for one number per image and channel.
  private mutating func blockOperand(
    _ id: ValueID, rank: Int, _ layout: [Int]
  ) throws(ExportError.Reason) -> Int {
    guard rank > 2, try dimensions(of: id).count == 2 else {
      return try broadcastOperand(
        id, layout: rank == layout.count ? layout : channelsLast(rank: rank))
    }
    return try broadcastOperand(id, layout: [rank - 2] + Array(0..<rank - 2) + [rank - 1])
  }

  /// An operand of a result of a rank and layout; extents of 1 are added in front where it has
  /// fewer axes.
  mutating func broadcastOperand(
    _ id: ValueID, layout: [Int]
  ) throws(ExportError.Reason) -> Int {
    let logical = try dimensions(of: id)
    let rank = layout.count
    guard logical.count < rank else { return try require(id, bits: false, layout: layout) }
    let identity = Array(0..<rank)
    if layout == identity || logical.isEmpty {
      return try require(id, bits: false, layout: Array(logical.indices))
    }
    if let constant = graph[id].constant {
      return try addConstant(constant, holding: id, layout: layout)
    }
    let plain = try require(id, bits: false, layout: Array(logical.indices))
    let missing = rank - logical.count
    let padded = [Dimension](repeating: .fixed(1), count: missing) + logical
    let isTrivial = keepsMemory(identity, layout, padded)
    let steps = isTrivial ? [layout] : [layout, identity]
    guard !steps.contains(where: { $0.dropFirst().contains { padded[$0].isBatch } }) else {
      throw .batchMoves(value: graph[id].name)
    }
    let type = try elementType(of: id)
    var index = plain
    if !isTrivial {
      index = addLayer(
        .reshape, name: graph[id].name + " (broadcast)", node: nil, inputs: [index],
        result: PhysicalType(type, padded), holding: id, layout: identity)
    }
    return addLayer(
      isTrivial ? .reshape : .transpose(permutation: layout),
      name: graph[id].name + " (broadcast)", node: nil, inputs: [index],
      result: PhysicalType(type, layout.map { padded[$0] }), holding: id, layout: layout)
  }

  /// Weights as [O, kernel…, C / groups].
  private func weights(of node: Node) throws(ExportError.Reason) -> Weights {
    guard let tensor = graph[try node.required(1)].constant else {
      throw .constantExpected(input: 1)
    }
    if let packed = tensor.packed { return .signs(packed) }
    guard tensor.elementType == .float32, tensor.shape.rank >= 2 else {
      throw .unsupportedForm("weights of \(tensor.elementType) \(tensor.shape)")
    }
    let order = [0] + Array(2..<tensor.shape.rank) + [1]
    do {
      let permuted = try Transpose(permutation: order).evaluate([tensor])[0]
      return .float32(permuted.floats, shape: permuted.shape)
    } catch {
      throw .unsupportedForm("weights \(tensor.shape)")
    }
  }

  /// The window of a pool; that of a global one is the whole input.
  private func window(of pool: Pool, input: ValueID) throws(ExportError.Reason) -> WindowGeometry {
    guard pool.isGlobal else { return pool.window }
    var kernel: [Int] = []
    for dimension in try dimensions(of: input).dropFirst(2) {
      guard case .fixed(let extent) = dimension else {
        throw .batchMoves(value: graph[input].name)
      }
      kernel.append(extent)
    }
    return WindowGeometry(kernel: kernel)
  }
}

extension Pool.Kind {
  fileprivate var layerKind: PoolKind {
    switch self {
    case .maximum: .maximum
    case .average(let countPadding): .average(countPadding: countPadding)
    }
  }
}

extension Node {
  func required(_ index: Int) throws(ExportError.Reason) -> ValueID {
    guard let id = input(index) else { throw .unsupportedForm("a missing input \(index)") }
    return id
  }
}

extension Node {
  /// Whether the node looks at its first operand through windows, channels last.
  fileprivate var readsWindows: Bool {
    switch op {
    case .block(let block): block.core != .pointwise
    case .convolution, .binaryConvolution, .pool, .binaryPool: true
    default: false
    }
  }
}

extension Epilogue {
  /// Whether all channels are treated alike.
  fileprivate var isUniform: Bool {
    let steps = steps.allSatisfy { step in
      switch step {
      case .affine(let scale, let bias): scale.count == 1 && bias.count == 1
      case .slopes(let positive, let negative): positive.count == 1 && negative.count == 1
      default: true
      }
    }
    switch output {
    case .values: return steps
    case .bits(let thresholds), .valuesAndBits(let thresholds):
      return steps && thresholds.count == 1
    case .accumulatorBits: return false
    }
  }
}
