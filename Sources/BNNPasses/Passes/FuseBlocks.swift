import BNNGraph
import BNNTensor

/// Makes one step of each convolution, pool or input with all that follows it element by element.
///
/// Before: a convolution (or pool), then scale, bias, batch normalization, activation, the
/// addition of a shortcut, a gate, in any order, each read only by the next; then perhaps a sign.
/// After: one `Block` with an epilogue. Where the last value is read by a sign and by others, as
/// in residual networks, the block gives the value and its bits.
///
/// Neighbouring scales and biases become one of each per channel, computed in double precision and
/// rounded once: these float32 numbers define the canonical network. Where a rounding or a
/// comparison follows, which jumps at some numbers, each keeps its own rounding as in the source. A
/// sign right behind a binary convolution tests the integer accumulator.
public struct FuseBlocks: Pass {
  public let name = "fuse-blocks"
  public let summary = "Fuses convolutions and pools with what follows them into one step."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    let beforeJumps = graph.valuesBeforeJumps()
    var taken: Set<Int> = []
    let cores = graph.nodes.indices.compactMap { index -> (Int, Int)? in
      let node = graph.nodes[index]
      guard !graph.isSignProduct(node, uses) else { return nil }
      return node.coreRank.map { (index, $0) }
    }
    // An addition of two branches goes to the binary one.
    for (index, _) in cores.sorted(by: { ($0.1, $0.0) < ($1.1, $1.0) })
    where !taken.contains(index) {
      guard
        var chain = EpilogueChain(startingAt: index, in: graph, beforeJumps: beforeJumps)
      else { continue }
      chain.grow(in: &graph, uses, &taken)
      let node = graph.nodes[index]
      chain.replace(in: &graph, uses)
      outcome.rewrote(node, "fused \(chain.nodes.count) operators")
    }
    return outcome
  }
}

extension Node {
  /// The order in which cores choose what they fuse: binary convolutions, convolutions, pools,
  /// then what has no core.
  fileprivate var coreRank: Int? {
    switch op {
    case .binaryConvolution: 0
    case .convolution: 1
    case .pool: 2
    case .binarize, .batchNormalization, .elementwiseUnary, .elementwiseBinary, .pRelu, .clip: 3
    case .block(let block) where block.core == .pointwise: 3
    default: nil
    }
  }
}
