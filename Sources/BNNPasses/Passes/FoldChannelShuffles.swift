import BNNGraph
import BNNTensor

/// Recognizes channel shuffles and folds them into the neighbours' weights where possible.
///
/// Before: `Reshape(Transpose(Reshape(x)))` that permutes whole channels of x.
/// After: `Gather(x, p)` along the channels; or nothing, where
/// - the reader is a convolution with one group: its weights' input channels are permuted, also
///   through a sign in between, whose thresholds are permuted with them; or
/// - the maker is a convolution with one group that nothing else reads: its output channels are.
///
/// A convolution with groups cannot take over a permutation that crosses its groups: there the
/// `Gather` stays, behind the sign where there is one, so that it moves bits.
public struct FoldChannelShuffles: Pass {
  public let name = "fold-channel-shuffles"
  public let summary = "Recognizes channel shuffles and folds them into neighbours' weights."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    try recognize(in: &graph, &outcome)
    try graph.removeDeadNodes()
    try graph.inferTypes()
    var changed = true
    while changed {
      changed = false
      let uses = graph.uses()
      for index in graph.nodes.indices {
        guard let shuffle = ChannelShuffle(at: index, of: graph) else { continue }
        if foldIntoMaker(shuffle, in: &graph, uses) || foldIntoReaders(shuffle, in: &graph, uses)
          || moveBehindSign(shuffle, in: &graph, uses)
        {
          outcome.rewrote(graph.nodes[index], "folded a channel shuffle")
          changed = true
          break
        }
      }
      guard changed else { break }
      try graph.removeDeadNodes()
      try graph.inferTypes()
    }
    return outcome
  }

  // MARK: Recognition

  private func recognize(
    in graph: inout Graph, _ outcome: inout PassOutcome
  ) throws(GraphError) {
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let last = graph.nodes[index]
      guard case .reshape = last.op, let transposed = last.input(0),
        let middleIndex = uses.producer(of: transposed),
        case .transpose = graph.nodes[middleIndex].op,
        let split = graph.nodes[middleIndex].input(0), let firstIndex = uses.producer(of: split),
        case .reshape = graph.nodes[firstIndex].op, let source = graph.nodes[firstIndex].input(0),
        graph.dimensions(source) == graph.dimensions(last.outputs[0]),
        let permutation = try permutation(
          [firstIndex, middleIndex, index], of: source, in: graph)
      else { continue }
      let indices = graph.addConstant(
        Tensor(permutation.map { Int64($0) }, shape: [permutation.count]),
        name: last.name + ".channels")
      let output = graph.add(
        .gather(Gather(axis: 1)), name: last.name, inputs: [source, indices])
      graph.replaceUses(of: last.outputs[0], with: output)
      outcome.rewrote(last, "recognized a channel shuffle")
    }
  }

  /// Which channel of the source each channel of the result is; found by shuffling numbers.
  private func permutation(
    _ chain: [Int], of source: ValueID, in graph: Graph
  ) throws(GraphError) -> [Int]? {
    let shape = graph.dimensions(source).shape(batch: 1)
    guard shape.rank >= 2, shape[0] == 1, let count = shape.checkedCount, count > 0,
      count < 1 << 24
    else { return nil }
    var tensor = Tensor((0..<count).map { Int64($0) }, shape: shape)
    for index in chain {
      let node = graph.nodes[index]
      let operands = [tensor] + node.inputs.dropFirst().map { graph.constant($0) }
      let results = try node.attempt { () throws(OperatorError) in
        try node.op.definition.evaluate(operands)
      }
      guard let result = results.first else { return nil }
      tensor = result
    }
    let channels = shape[1]
    let positions = count / channels
    let moved = tensor.integers
    var permutation: [Int] = []
    for channel in 0..<channels {
      let start = Int(moved[channel * positions])
      guard start % positions == 0,
        (0..<positions).allSatisfy({ Int(moved[channel * positions + $0]) == start + $0 })
      else { return nil }
      permutation.append(start / positions)
    }
    return permutation
  }

  // MARK: Folding

  private func foldIntoReaders(
    _ shuffle: ChannelShuffle, in graph: inout Graph, _ uses: Uses
  ) -> Bool {
    let readers = uses.consumers(of: shuffle.output)
    guard !readers.isEmpty, !graph.outputs.contains(shuffle.output),
      readers.allSatisfy({ graph.denseWeights(of: $0) != nil })
    else { return false }
    for reader in readers {
      guard let weights = graph.denseWeights(of: reader) else { continue }
      graph.nodes[reader].inputs[0] = shuffle.source
      graph.nodes[reader].inputs[1] = graph.addConstant(
        weights.permuted(axis: 1, by: shuffle.inverse), name: graph.nodes[reader].name + ".weight")
    }
    return true
  }

  private func foldIntoMaker(
    _ shuffle: ChannelShuffle, in graph: inout Graph, _ uses: Uses
  ) -> Bool {
    guard let maker = uses.producer(of: shuffle.source), uses.isUsedOnce(shuffle.source),
      let weights = graph.denseWeights(of: maker)
    else { return false }
    graph.nodes[maker].inputs[1] = graph.addConstant(
      weights.permuted(axis: 0, by: shuffle.permutation), name: graph.nodes[maker].name + ".weight")
    if let bias = graph.nodes[maker].input(2), let tensor = graph.constant(bias) {
      graph.nodes[maker].inputs[2] = graph.addConstant(
        tensor.permuted(axis: 0, by: shuffle.permutation), name: graph[bias].name)
    }
    graph.replaceUses(of: shuffle.output, with: shuffle.source)
    return true
  }

  private func moveBehindSign(
    _ shuffle: ChannelShuffle, in graph: inout Graph, _ uses: Uses
  ) -> Bool {
    let readers = uses.consumers(of: shuffle.output)
    guard readers.count == 1, let reader = readers.first,
      !graph.outputs.contains(shuffle.output),
      case .binarize(var binarize) = graph.nodes[reader].op
    else { return false }
    if binarize.thresholds.count > 1 {
      binarize.thresholds = binarize.thresholds.permuted(by: shuffle.inverse)
    }
    let node = graph.nodes[reader]
    let sign = graph.add(.binarize(binarize), name: node.name, inputs: [shuffle.source])
    let moved = graph.add(
      .gather(Gather(axis: 1)), name: shuffle.name, inputs: [sign, shuffle.indices])
    graph.replaceUses(of: node.outputs[0], with: moved)
    return true
  }
}

/// A `Gather` that permutes channels.
private struct ChannelShuffle {
  let name: String
  let source: ValueID
  let indices: ValueID
  let output: ValueID
  /// Result channel i is source channel `permutation[i]`.
  let permutation: [Int]
  let inverse: [Int]

  init?(at index: Int, of graph: Graph) {
    let node = graph.nodes[index]
    guard case .gather(let gather) = node.op, gather.axis == 1, let source = node.input(0),
      let indices = node.input(1), let listed = graph.constant(indices)?.integers,
      let channels = graph[source].type?.channels, listed.count == channels,
      graph.isUsed(node.outputs[0])
    else { return nil }
    let permutation = listed.map { Int($0) }
    guard Set(permutation) == Set(0..<channels) else { return nil }
    name = node.name
    self.source = source
    self.indices = indices
    output = node.outputs[0]
    self.permutation = permutation
    var inverse = permutation
    for (position, channel) in permutation.enumerated() { inverse[channel] = position }
    self.inverse = inverse
  }
}

extension Graph {
  /// The constant weights of a convolution with one group.
  fileprivate func denseWeights(of index: Int) -> Tensor? {
    guard case .convolution(let convolution) = nodes[index].op, convolution.geometry.groups == 1,
      let weights = constant(nodes[index].input(1)), weights.elementType.isFloatingPoint,
      nodes[index].input(2) == nil || constant(nodes[index].input(2)) != nil
    else { return nil }
    return weights
  }
}

extension Tensor {
  /// Entry i along an axis of the result is entry `order[i]` of this tensor, as float32.
  fileprivate func permuted(axis: Int, by order: [Int]) -> Tensor {
    let inner = shape.strides[axis]
    let extent = shape[axis]
    let source = floats
    var result: [Float] = []
    result.reserveCapacity(source.count)
    for outer in 0..<source.count / max(inner * extent, 1) {
      for index in order {
        let start = (outer * extent + index) * inner
        result += source[start..<start + inner]
      }
    }
    return Tensor(result, shape: shape)
  }
}

extension Thresholds {
  /// Channel i of the result is channel `order[i]`.
  fileprivate func permuted(by order: [Int]) -> Thresholds {
    Thresholds(
      lower: order.map { lower[$0] }, upper: order.map { upper[$0] },
      insideIsPlus: order.map { insideIsPlus[$0] })
  }
}
