import BNNGraph
import BNNTensor

/// A core and the nodes behind it that become its epilogue.
struct EpilogueChain {
  let name: String
  private let core: Block.Core
  /// The core's own inputs.
  private let inputs: [ValueID?]
  private(set) var nodes: [Int]
  /// The value that the chain computes so far.
  private var current: ValueID
  private var steps = StepList()
  private var operands: [ValueID] = []
  /// The sign that ends the chain, and whether the real values are needed as well.
  private var sign: (node: Int, thresholds: Thresholds<Float>)?
  private var needsValues = true
  /// The values behind which something jumps: their arithmetic stays as the source spells it.
  private let beforeJumps: Set<ValueID>
  /// The magnitude of the accumulator as long as nothing but it flows.
  private let isAccumulator: Bool

  /// - Parameter beforeJumps: ``Graph/valuesBeforeJumps()``.
  init?(startingAt index: Int, in graph: Graph, beforeJumps: Set<ValueID>) {
    self.beforeJumps = beforeJumps
    let node = graph.nodes[index]
    name = node.name
    nodes = [index]
    guard let input = node.input(0), let output = node.outputs.first, node.outputs.count == 1,
      graph[output].type?.elementType == .float32, graph[input].type?.elementType == .float32
    else { return nil }
    current = output
    isAccumulator = if case .binaryConvolution = node.op { true } else { false }
    switch node.op {
    case .binaryConvolution(let convolution):
      core = .binaryConvolution(convolution.geometry)
      inputs = [input, node.input(1)]
    case .convolution(let convolution):
      guard graph.constant(node.input(1)) != nil else { return nil }
      core = .convolution(convolution.geometry)
      inputs = [input, node.input(1)]
      if let bias = node.input(2) {
        guard let tensor = graph.constant(bias) else { return nil }
        steps.shift(by: tensor.floats)
      }
    case .pool(let pool):
      core = .pool(pool)
      inputs = [input]
    default:
      core = .pointwise
      // The chain starts behind the value that the first node reads.
      guard let data = node.inputs.compactMap({ $0 }).first(where: { graph.constant($0) == nil })
      else { return nil }
      inputs = [data]
      current = data
      nodes = []
      first = index
    }
  }

  /// The node that a chain without a core starts with.
  private var first: Int?

  mutating func grow(in graph: inout Graph, _ uses: Uses, _ taken: inout Set<Int>) {
    taken.formUnion(nodes)
    if let first {
      guard append(first, in: &graph) else { return }
      taken.insert(first)
    }
    while sign == nil, !graph.outputs.contains(current) {
      let readers = uses.consumers(of: current)
      // Products of signs have an operation of their own.
      guard readers.count == 1, !taken.contains(readers[0]),
        !graph.isSignProduct(graph.nodes[readers[0]], uses), append(readers[0], in: &graph)
      else { break }
      taken.insert(readers[0])
    }
    // Values that others need as well, with their sign.
    guard sign == nil, !nodes.isEmpty else { return }
    for reader in uses.consumers(of: current) where !taken.contains(reader) {
      if case .binarize(let binarize) = graph.nodes[reader].op {
        sign = (reader, binarize.thresholds)
        needsValues = true
        taken.insert(reader)
        break
      }
    }
  }

  /// Takes a node into the chain; false if it cannot be a step.
  private mutating func append(_ index: Int, in graph: inout Graph) -> Bool {
    let node = graph.nodes[index]
    if case .binarize(let binarize) = node.op {
      sign = (index, binarize.thresholds)
      needsValues = false
      return true
    }
    guard let output = node.outputs.first, node.outputs.count == 1,
      graph.dimensions(output) == graph.dimensions(current)
    else { return false }
    steps.isMerging = !beforeJumps.contains(output)
    guard appendStep(of: node, in: &graph) else { return false }
    nodes.append(index)
    current = output
    return true
  }

  private mutating func appendStep(of node: Node, in graph: inout Graph) -> Bool {
    switch node.op {
    case .batchNormalization(let normalization):
      guard node.input(0) == current,
        let (scale, shift) = normalization.affine(node, in: graph)
      else { return false }
      steps.scale(by: scale)
      steps.shift(by: shift)
    case .pRelu:
      guard node.input(0) == current, let slopes = graph.perChannel(node.input(1), like: current)
      else { return false }
      steps.append(.slopes(positive: [1], negative: slopes))
    case .clip:
      guard node.input(0) == current else { return false }
      // ONNX: a limit that is left out is the largest finite number.
      let lower = node.input(1).map { graph.scalar($0) } ?? -.greatestFiniteMagnitude
      let upper = node.input(2).map { graph.scalar($0) } ?? .greatestFiniteMagnitude
      guard let lower, let upper else { return false }
      steps.append(.clamp(lower: lower, upper: upper))
    case .elementwiseUnary(let unary):
      switch unary.function {
      case .relu: steps.append(.clamp(lower: 0, upper: .infinity))
      case .leakyRelu(let alpha): steps.append(.slopes(positive: [1], negative: [alpha]))
      case .negate: steps.scale(by: [-1])
      default: steps.append(.function(unary.function))
      }
    case .elementwiseBinary(let binary): return appendBinary(binary.kind, node, in: &graph)
    case .block(let block):
      guard block.core == .pointwise, node.inputs.count == 1, block.epilogue.output == .values
      else { return false }
      for step in block.epilogue.steps { steps.append(step) }
    default: return false
    }
    return true
  }

  private mutating func appendBinary(
    _ kind: ElementwiseBinary.Kind, _ node: Node, in graph: inout Graph
  ) -> Bool {
    guard let a = node.input(0), let b = node.input(1), (a == current) != (b == current) else {
      return false
    }
    let isLeft = a == current
    let other = isLeft ? b : a
    if let numbers = graph.perChannel(other, like: current) {
      let negated = numbers.map { -$0 }
      switch (kind, isLeft) {
      case (.add, _): steps.shift(by: numbers)
      case (.subtract, true): steps.shift(by: negated)
      case (.subtract, false):
        steps.scale(by: [-1])
        steps.shift(by: numbers)
      case (.multiply, _): steps.scale(by: numbers)
      case (.divide, true): return steps.divide(by: numbers)
      case (.maximum, _) where numbers.count == 1:
        steps.append(.clamp(lower: numbers[0], upper: .infinity))
      case (.minimum, _) where numbers.count == 1:
        steps.append(.clamp(lower: -.infinity, upper: numbers[0]))
      default: return false
      }
      return true
    }
    guard graph.constant(other) == nil, graph.canJoin(other, to: current) else { return false }
    switch (kind, isLeft) {
    case (.add, _): steps.append(.add(operand: operand(other)))
    case (.multiply, _): steps.append(.multiply(operand: operand(other)))
    case (.subtract, false):
      steps.scale(by: [-1])
      steps.append(.add(operand: operand(other)))
    case (.subtract, true):
      // x − y is x + (−y), rounded alike.
      let step = PointwiseStep.affine(scale: [-1], bias: [0])
      let negated = graph.add(
        .block(Block(core: .pointwise, epilogue: Epilogue(steps: [step]))),
        name: node.name + ".negated", inputs: [other])
      graph[negated].type = graph[other].type
      steps.append(.add(operand: operand(negated)))
    default: return false
    }
    return true
  }

  private mutating func operand(_ value: ValueID) -> Int {
    if let index = operands.firstIndex(of: value) { return index }
    operands.append(value)
    return operands.count - 1
  }

  /// Puts the block in the place of the chain.
  mutating func replace(in graph: inout Graph, _ uses: Uses) {
    guard !nodes.isEmpty || sign != nil else { return }
    let list = steps.finished
    let output: Epilogue.Output
    switch sign {
    case nil: output = .values
    case .some((_, let thresholds)) where needsValues: output = .valuesAndBits(thresholds)
    case .some((_, let thresholds)) where isAccumulator && list.isEmpty:
      output = .accumulatorBits(thresholds.onIntegers)
    case .some((_, let thresholds)): output = .bits(thresholds)
    }
    let epilogue = Epilogue(steps: list, output: output)
    var outputs: [ValueID] = []
    let type = graph[current].type
    if needsValues { outputs.append(graph.addValue(Value(name: graph[current].name, type: type))) }
    if let sign {
      let bits = graph.nodes[sign.node].outputs[0]
      outputs.append(graph.addValue(Value(name: graph[bits].name, type: type)))
    }
    let blockName = nodes.isEmpty ? sign.map { graph.nodes[$0.node].name } ?? name : name
    graph.nodes.append(
      Node(
        name: blockName, op: .block(Block(core: core, epilogue: epilogue)),
        inputs: inputs + operands.map { $0 }, outputs: outputs))
    if needsValues, current != inputs.first { graph.replaceUses(of: current, with: outputs[0]) }
    if let sign, let bits = outputs.last {
      graph.replaceUses(of: graph.nodes[sign.node].outputs[0], with: bits)
    }
  }
}

extension BatchNormalization {
  /// Scale and bias per channel, each step rounded to float32 as in the definition.
  func affine(_ node: Node, in graph: Graph) -> (scale: [Float], bias: [Float])? {
    guard let gamma = graph.constant(node.input(1))?.floats,
      let beta = graph.constant(node.input(2))?.floats,
      let mean = graph.constant(node.input(3))?.floats,
      let variance = graph.constant(node.input(4))?.floats
    else { return nil }
    var scale: [Float] = []
    var bias: [Float] = []
    for c in gamma.indices {
      let root = (variance[c] + epsilon).squareRoot()
      let factor = gamma[c] * (1 / root)
      let product = mean[c] * factor
      scale.append(factor)
      bias.append(beta[c] - product)
    }
    return (scale, bias)
  }
}

extension Graph {
  /// Whether a value can be an operand of an epilogue that works on `target`: the same
  /// dimensions, or 1 in the place of some, but not of the batch.
  func canJoin(_ value: ValueID, to target: ValueID) -> Bool {
    let (from, to) = (dimensions(value), dimensions(target))
    guard self[value].type?.elementType == .float32, !to.isEmpty else { return false }
    if from == to { return true }
    return from.count == to.count && from[0] == to[0]
      && zip(from, to).allSatisfy { $0 == $1 || $0 == .fixed(1) }
  }
}
