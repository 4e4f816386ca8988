import BNNGraph
import BNNTensor

/// Packs weights of ±1 into bits, channels last, and makes binary convolutions of those whose
/// input is a sign.
///
/// Before: `Conv(x, w)`, w constant and ±1, no bias.
/// After: `BinaryConvolution(x, bits)` where x is a sign; else `Conv(x, bits)`.
public struct PackBits: Pass {
  public let name = "pack-bits"
  public let summary = "Packs weights of ±1 into bits and makes binary convolutions."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .convolution(let convolution) = node.op, node.input(2) == nil,
        let input = node.input(0), let weights = node.input(1),
        let tensor = graph.constant(weights), tensor.elementType == .float32,
        let packed = PackedTensor(signs: tensor)
      else { continue }
      let bits = graph.addConstant(Tensor(packed), name: graph[weights].name)
      guard graph.isSign(input, uses) else {
        graph.exchange(weights, with: bits, in: index, uses)
        outcome.rewrote(node, "packed ±1 weights; the input is real-valued")
        continue
      }
      let output = graph.add(
        .binaryConvolution(BinaryConvolution(geometry: convolution.geometry)), name: node.name,
        inputs: [input, bits])
      graph.replaceUses(of: node.outputs[0], with: output)
      graph.exchange(weights, with: bits, in: index, uses)
      outcome.rewrote(node, "packed \(packed.count) weights")
    }
    return outcome
  }
}

extension Graph {
  /// Lets a node read another constant, and gives up the elements of the old one if nothing else
  /// reads it, so that old and new weights of all layers are not in memory together.
  mutating func exchange(_ old: ValueID, with new: ValueID, in node: Int, _ uses: Uses) {
    nodes[node].inputs = nodes[node].inputs.map { $0 == old ? new : $0 }
    guard uses.consumers(of: old) == [node], !outputs.contains(old) else { return }
    self[old].constant = nil
  }
}

extension PackedTensor {
  /// Packs weights [O, C, kernel…] of ±1 as [O, kernel…, C]; nil if an element is neither.
  init?(signs weights: Tensor) {
    let floats = weights.floats
    guard floats.allSatisfy({ $0 == 1 || $0 == -1 }), weights.shape.rank >= 2 else { return nil }
    let outputs = weights.shape[0]
    let channels = weights.shape[1]
    let kernel = Array(weights.shape.dimensions.dropFirst(2))
    let taps = kernel.reduce(1, *)
    let shape = Shape([outputs] + kernel + [channels])
    var bytes = [UInt8](repeating: 0, count: PackedTensor.byteCount(of: shape.count))
    floats.withUnsafeBufferPointer { floats in
      var index = 0
      for output in 0..<outputs {
        for tap in 0..<taps {
          var from = output * channels * taps + tap
          for _ in 0..<channels {
            // Without a branch, which no CPU could predict.
            bytes[index >> 3] |= (floats[from] > 0 ? 1 : 0) << UInt8(index & 7)
            index += 1
            from += taps
          }
        }
      }
    }
    self.init(shape: shape, bytes: bytes)
  }
}
