import BNNGraph
import BNNTensor

/// Folds batch normalization, and whatever else stands between an accumulator and a sign, into
/// the thresholds of the sign.
///
/// Before: `Binarize(f(x))`, where f is computed element by element and differs at most between
/// channels (scale, bias, batch normalization, PReLU, clip, tanh …), and nothing else uses what f
/// computes on the way.
/// After: `Binarize'(x)`.
///
/// If x holds the accumulators of a binary convolution (also after a max pool), the thresholds are
/// exact for every reachable integer −K…K. Otherwise they are exact for every float32, NaN and
/// infinities included, and only a monotone f is folded. γ < 0, γ = 0 and PReLUs with negative
/// slopes need no case of their own: f is evaluated, see ``ThresholdSearch``.
///
/// A sign moves from behind a max pool to before it, where more may be folded into it:
///
/// Before: `Binarize(MaxPool(x))`, x used by nothing else.
/// After: `BinaryPool(Binarize(x))`.
///
/// The maximum commutes with a rising step: the bit of the maximum is the OR of the bits. With
/// a falling step (a negative γ was folded into the threshold) it is their AND. Which of the two
/// it is may differ from channel to channel. A channel whose bit is +1 on a bounded interval has
/// neither, and such a pool stays as it is. A max pool of signs becomes a pool of bits.
public struct FoldThresholds: Pass {
  public let name = "fold-thresholds"
  public let summary = "Folds batch normalization and activations before a sign into thresholds."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    while true {
      try fold(in: &graph, &outcome)
      guard pool(in: &graph, &outcome) else { return outcome }
      try graph.removeDeadNodes()
      try graph.inferTypes()
    }
  }

  private func fold(
    in graph: inout Graph, _ outcome: inout PassOutcome
  ) throws(GraphError) {
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .binarize(let binarize) = node.op, let input = node.input(0) else { continue }
      let consumers = uses.consumers(of: input).filter { $0 != index }
      guard consumers.isEmpty, !graph.outputs.contains(input),
        let cone = ElementwiseCone.all(endingIn: input, of: graph, uses).last
      else { continue }
      let search = ThresholdSearch(cone: cone, thresholds: binarize.thresholds, graph: graph)
      let bound = graph.accumulatorBound(of: cone.source, uses)
      let found =
        if let bound { try search.onIntegers(bound: bound) } else { try search.onFloats() }
      guard let found else { continue }
      if binarize.zeroIsChosen, let bound {
        let zeros = try reachableZeros(cone, found, bound: bound, in: graph)
        if zeros > 0 {
          outcome.findings.append(.reachableZeros(node: node.name, channels: zeros))
        }
      }
      let output = graph.add(
        .binarize(Binarize(thresholds: found.collapsed, zeroIsChosen: binarize.zeroIsChosen)),
        name: node.name, inputs: [cone.source])
      graph.replaceUses(of: node.outputs[0], with: output)
      let folded = cone.nodes.map { graph.nodes[$0].op.definition.name }
      outcome.rewrote(node, "folded \(folded.joined(separator: ", ")) into thresholds")
    }
    try graph.removeDeadNodes()
    try graph.inferTypes()
  }

  /// Moves signs before max pools; false if there was none to move.
  private func pool(in graph: inout Graph, _ outcome: inout PassOutcome) -> Bool {
    let uses = graph.uses()
    var hasMoved = false
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      if case .pool(let pool) = node.op, pool.kind == .maximum, !pool.isGlobal,
        let bits = node.input(0), graph.isSign(bits, uses)
      {
        graph.nodes[index].op = .binaryPool(
          BinaryPool(window: pool.window, ceiling: pool.ceiling, inverted: [false]))
        outcome.rewrote(node, "pools bits")
        continue
      }
      guard case .binarize(let binarize) = node.op, let pooled = node.input(0),
        uses.isUsedOnce(pooled), let poolIndex = uses.producer(of: pooled),
        case .pool(let pool) = graph.nodes[poolIndex].op, pool.kind == .maximum, !pool.isGlobal,
        let source = graph.nodes[poolIndex].input(0), graph.nodes[poolIndex].outputs.count == 1,
        let inverted = binarize.thresholds.invertedChannels
      else { continue }
      let bits = graph.add(node.op, name: node.name, inputs: [source])
      let output = graph.add(
        .binaryPool(BinaryPool(window: pool.window, ceiling: pool.ceiling, inverted: inverted)),
        name: graph.nodes[poolIndex].name, inputs: [bits])
      graph.replaceUses(of: node.outputs[0], with: output)
      outcome.rewrote(node, "moved before max pool '\(graph.nodes[poolIndex].name)'")
      hasMoved = true
    }
    return hasMoved
  }

  /// The number of channels in which the cone is exactly 0 at a reachable integer next to the
  /// threshold, where alone that can be in a monotone chain.
  private func reachableZeros(
    _ cone: ElementwiseCone, _ thresholds: Thresholds<Float>, bound: Int, in graph: Graph
  ) throws(GraphError) -> Int {
    let edges = (0..<cone.channels).map { channel in
      let c = thresholds.count == 1 ? 0 : channel
      let edge = thresholds.lower[c].isFinite ? thresholds.lower[c] : thresholds.upper[c]
      return edge.isFinite ? edge : 0
    }
    let rows = [Float(-1), 0, 1].map { offset in
      edges.map { min(max($0 + offset, Float(-bound)), Float(bound)) }
    }
    let values = try cone.evaluate(rows, in: graph)
    return (0..<cone.channels).count { c in values.contains { $0[c] == 0 } }
  }
}

extension Graph {
  /// The largest magnitude of the integers that a value holds, when it holds the accumulators of
  /// a binary convolution, perhaps pooled.
  func accumulatorBound(of value: ValueID, _ uses: Uses) -> Int? {
    guard let index = uses.producer(of: value) else { return nil }
    switch nodes[index].op {
    case .binaryConvolution:
      guard let shape = constant(nodes[index].input(1))?.shape else { return nil }
      return shape.dimensions.dropFirst().reduce(1, *)
    case .pool(let pool) where pool.kind == .maximum:
      return nodes[index].input(0).flatMap { accumulatorBound(of: $0, uses) }
    default: return nil
    }
  }
}

extension Thresholds<Float> {
  /// For each channel (or one for all), whether the bit falls as x rises; nil when the bit of a
  /// channel rises and falls.
  var invertedChannels: [Bool]? {
    guard isMonotone else { return nil }
    let inverted = (0..<count).map { c in
      // A constant bit may count as either.
      lower[c] > upper[c] || lower[c] == -.infinity && upper[c] == .infinity
        ? false : (lower[c] == -.infinity) == insideIsPlus[c]
    }
    return Set(inverted).count == 1 ? [inverted[0]] : inverted
  }
}
