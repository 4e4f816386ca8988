import BNNGraph
import BNNTensor

/// Moves a sign from behind a max pool to before it, so that bits are pooled.
///
/// Before: `Binarize(MaxPool(x))`, x used by nothing else.
/// After: `BinaryPool(Binarize(x))`.
///
/// The maximum commutes with a rising step: the bit of the maximum is the OR of the bits. With
/// a falling step (a negative γ was folded into the threshold) it is their AND. Which of the two
/// it is may differ from channel to channel. A channel whose bit is +1 on a bounded interval has
/// neither, and such a pool stays as it is. A max pool of signs becomes a pool of bits.
public struct BinarizeBeforePooling: Pass {
  public let name = "binarize-before-pooling"
  public let summary = "Pools bits instead of numbers where a sign follows a max pool."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
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
        .binaryPool(
          BinaryPool(window: pool.window, ceiling: pool.ceiling, inverted: inverted)),
        name: graph.nodes[poolIndex].name, inputs: [bits])
      graph.replaceUses(of: node.outputs[0], with: output)
      outcome.rewrote(node, "moved before max pool '\(graph.nodes[poolIndex].name)'")
    }
    return outcome
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
