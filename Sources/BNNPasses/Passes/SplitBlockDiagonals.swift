import BNNGraph
import BNNTensor

/// Recognizes a dense convolution of signs whose weights are block-diagonal as a grouped one.
///
/// Before: `Conv(x, w)` with one group, x a sign, w zero outside G equal blocks on the diagonal and
/// nowhere zero inside.
/// After: `Conv(x, w')` with G groups, the blocks alone.
///
/// The zeros contribute nothing, so the accumulator is the same; without this they would keep the
/// layer real-valued.
public struct SplitBlockDiagonals: Pass {
  public let name = "split-block-diagonals"
  public let summary = "Recognizes block-diagonal weights as a grouped convolution."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .convolution(var convolution) = node.op, convolution.geometry.groups == 1,
        let input = node.input(0), graph.isSign(input, uses), let value = node.input(1),
        let weights = graph.constant(value), weights.elementType.isFloatingPoint,
        weights.shape.rank >= 2, let (groups, blocks) = weights.diagonalBlocks
      else { continue }
      convolution.geometry.groups = groups
      graph.nodes[index].op = .convolution(convolution)
      graph.nodes[index].inputs[1] = graph.addConstant(blocks, name: graph[value].name)
      outcome.rewrote(node, "recognized \(groups) diagonal blocks as groups")
    }
    return outcome
  }
}

extension Tensor {
  /// The largest number of diagonal blocks [O/G, C/G, kernel…] outside which weights [O, C,
  /// kernel…] are zero and inside which they are not, and the blocks as [O, C/G, kernel…].
  fileprivate var diagonalBlocks: (groups: Int, weights: Tensor)? {
    let (outputs, channels) = (shape[0], shape[1])
    let taps = shape.dimensions.dropFirst(2).reduce(1, *)
    let floats = self.floats
    guard floats.contains(0), outputs > 0, channels > 0, taps > 0 else { return nil }
    func isZero(_ output: Int, _ channel: Int) -> Bool? {
      let start = (output * channels + channel) * taps
      let zeros = floats[start..<start + taps].count { $0 == 0 }
      return zeros == taps ? true : zeros == 0 ? false : nil
    }
    let limit = min(outputs, channels)
    guard limit >= 2 else { return nil }
    for groups in (2...limit).reversed() where outputs % groups == 0 && channels % groups == 0 {
      let (rows, columns) = (outputs / groups, channels / groups)
      let isDiagonal = (0..<outputs).allSatisfy { output in
        (0..<channels).allSatisfy { channel in
          isZero(output, channel) == (output / rows != channel / columns)
        }
      }
      guard isDiagonal else { continue }
      var blocks: [Float] = []
      blocks.reserveCapacity(outputs * columns * taps)
      for output in 0..<outputs {
        let start = (output * channels + output / rows * columns) * taps
        blocks += floats[start..<start + columns * taps]
      }
      var extents = shape.dimensions
      extents[1] = columns
      return (groups, Tensor(blocks, shape: Shape(extents)))
    }
    return nil
  }
}
