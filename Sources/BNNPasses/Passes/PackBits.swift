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
    guard weights.shape.rank >= 2 else { return nil }
    let outputs = weights.shape[0]
    let channels = weights.shape[1]
    let kernel = Array(weights.shape.dimensions.dropFirst(2))
    let taps = kernel.reduce(1, *)
    let shape = Shape([outputs] + kernel + [channels])
    var packer = BitPacker(count: shape.count)
    var areSigns = true
    weights.floats.withUnsafeBufferPointer { floats in
      for output in 0..<outputs where areSigns {
        // All bits of an element that differ from those of 1, but for the sign.
        var others: UInt32 = 0
        for tap in 0..<taps {
          var from = output * channels * taps + tap
          for _ in 0..<channels {
            let bits = floats[from].bitPattern
            others |= (bits ^ Float(1).bitPattern) & ~(1 << 31)
            packer.append(bits >> 31 ^ 1)
            from += taps
          }
        }
        areSigns = others == 0
      }
    }
    guard areSigns else { return nil }
    self.init(shape: shape, bytes: packer.bytes)
  }
}

/// Makes bytes of bits that come one by one.
private struct BitPacker {
  private var packed: [UInt8] = []
  private var last: UInt32 = 0
  /// How many bits `last` has.
  private var filled: UInt32 = 0

  init(count: Int) { packed.reserveCapacity(PackedTensor.byteCount(of: count)) }

  @inline(__always)
  mutating func append(_ bit: UInt32) {
    last |= bit << filled
    filled += 1
    if filled == 8 {
      packed.append(UInt8(truncatingIfNeeded: last))
      (last, filled) = (0, 0)
    }
  }

  var bytes: [UInt8] { filled == 0 ? packed : packed + [UInt8(truncatingIfNeeded: last)] }
}
