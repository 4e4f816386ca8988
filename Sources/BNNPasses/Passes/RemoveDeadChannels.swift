import BNNGraph
import BNNTensor

/// Removes channels that cannot change anything.
///
/// Before: a block whose bit is the same for every reachable sum in some channels, or whose result
/// in some channels is read by convolutions with weights of 0 only.
/// After: the block without these outputs, and its readers without these inputs. What a constant bit
/// adds to a reader's sums moves into its thresholds or, as an integer before the other steps, into
/// its epilogue, so that every result stays the same bit for bit.
///
/// A reader that counts taps outside its input as 0 sees less of a constant channel at the borders
/// than inside. Such channels stay, with weights that are all −1: they decide nothing, and take no
/// space in the file.
public struct RemoveDeadChannels: Pass {
  public let name = "remove-dead-channels"
  public let summary = "Removes channels whose bit is constant or that only weights of 0 read."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    for index in graph.nodes.indices {
      guard var producer = ChannelProducer(index, in: graph) else { continue }
      let dead = producer.constantBits(in: graph)
      let isCleared = producer.clear(dead.keys.sorted(), in: &graph)
      let readers = ChannelReaders(of: producer.output, in: graph)
      var removable = Set(
        (0..<producer.channels).filter { channel in
          readers?.canLose(channel, bit: dead[channel], in: graph) ?? false
        })
      // A value without channels is none.
      if removable.count == producer.channels { removable.remove(0) }
      if !removable.isEmpty, let readers {
        let kept = (0..<producer.channels).filter { !removable.contains($0) }
        producer.keep(kept, in: &graph)
        readers.keep(kept, constants: dead.filter { removable.contains($0.key) }, in: &graph)
      }
      guard !removable.isEmpty || isCleared else { continue }
      let finding = DeadChannels(
        node: graph.nodes[index].name, channels: producer.channels, constant: dead.count,
        removed: removable.count)
      outcome.findings.append(.deadChannels(finding))
      outcome.rewrote(
        graph.nodes[index],
        "\(finding.constant) constant channels; removed \(finding.removed) of \(finding.channels)")
    }
    return outcome
  }
}

/// A block of a convolution without groups whose channels may be removed one by one.
private struct ChannelProducer {
  let index: Int
  let output: ValueID
  let channels: Int
  private let block: Block
  private let weights: ValueID
  private var tensor: Tensor
  private let isBinary: Bool

  init?(_ index: Int, in graph: Graph) {
    let node = graph.nodes[index]
    guard case .block(let block) = node.op, node.outputs.count == 1,
      !graph.outputs.contains(node.outputs[0]), block.epilogue.operandCount == 0,
      let weights = node.input(1), let tensor = graph[weights].constant
    else { return nil }
    switch block.core {
    case .binaryConvolution(let geometry), .convolution(let geometry):
      guard geometry.groups == 1 else { return nil }
    case .pool, .pointwise: return nil
    }
    if case .binaryConvolution = block.core { isBinary = true } else { isBinary = false }
    self.index = index
    self.block = block
    self.weights = weights
    self.tensor = tensor
    output = node.outputs[0]
    channels = tensor.shape[0]
  }

  /// The channels whose bit does not depend on the input, with the bit.
  func constantBits(in graph: Graph) -> [Int: Bool] {
    var bits: [Int: Bool] = [:]
    switch block.epilogue.output {
    case .values, .valuesAndBits: break
    case .bits(let thresholds):
      for channel in 0..<channels {
        let entry = thresholds.count == 1 ? 0 : channel
        // Only an empty interval: NaN lies in no other either.
        guard thresholds.lower[entry] > thresholds.upper[entry] else { continue }
        bits[channel] = !thresholds.insideIsPlus[entry]
      }
    case .accumulatorBits(let thresholds):
      let bound = Int32(clamping: tensor.shape.count / max(channels, 1))
      for channel in 0..<channels {
        let entry = thresholds.count == 1 ? 0 : channel
        let (lower, upper) = (thresholds.lower[entry], thresholds.upper[entry])
        if lower > upper || lower > bound || upper < -bound {
          bits[channel] = !thresholds.insideIsPlus[entry]
        } else if lower <= -bound, upper >= bound {
          bits[channel] = thresholds.insideIsPlus[entry]
        }
      }
    }
    return bits
  }

  /// Leaves only some of the outputs.
  func keep(_ kept: [Int], in graph: inout Graph) {
    var block = block
    block.epilogue = block.epilogue.keeping(kept, of: channels)
    graph.nodes[index].op = .block(block)
    graph.nodes[index].inputs[1] = graph.addConstant(
      tensor.selecting(kept, axis: 0), name: graph[weights].name)
  }

  /// Makes the weights of outputs −1 that decide nothing.
  ///
  /// - Returns: whether any were not.
  mutating func clear(_ outputs: [Int], in graph: inout Graph) -> Bool {
    guard isBinary, let packed = tensor.packed else { return false }
    let each = packed.count / channels
    var result = packed
    for output in outputs {
      for index in output * each..<(output + 1) * each { result[index] = false }
    }
    guard result != packed else { return false }
    tensor = Tensor(result)
    graph.nodes[index].inputs[1] = graph.addConstant(tensor, name: graph[weights].name)
    return true
  }
}

/// All that reads a value, directly or behind pools of bits.
private struct ChannelReaders {
  /// Blocks of convolutions without groups whose first operand is the value.
  private var blocks: [Int] = []
  private var pools: [Int] = []

  /// - Returns: nil where something else reads the value.
  init?(of value: ValueID, in graph: Graph) {
    var open = [value]
    while let value = open.popLast() {
      guard !graph.outputs.contains(value) else { return nil }
      for (index, node) in graph.nodes.enumerated() where node.inputs.contains(value) {
        guard node.input(0) == value, node.inputs.count(where: { $0 == value }) == 1 else {
          return nil
        }
        switch node.op {
        case .binaryPool:
          pools.append(index)
          open.append(node.outputs[0])
        case .block(let block):
          switch block.core {
          case .binaryConvolution(let geometry), .convolution(let geometry):
            guard geometry.groups == 1 else { return nil }
          case .pool, .pointwise: return nil
          }
          blocks.append(index)
        default: return nil
        }
      }
    }
  }

  /// Whether all readers can do without a channel.
  ///
  /// - Parameter bit: its value where that is constant.
  func canLose(_ channel: Int, bit: Bool?, in graph: Graph) -> Bool {
    blocks.allSatisfy { index in
      let node = graph.nodes[index]
      guard case .block(let block) = node.op,
        let weights = node.input(1).flatMap({ graph[$0].constant })
      else { return false }
      switch block.core {
      case .convolution:
        return weights.elementType == .float32 && weights.isZero(channel: channel)
      case .binaryConvolution(let geometry):
        guard let bit, weights.packed != nil else { return false }
        switch geometry.padding {
        case .zero: return !geometry.window.hasPadding
        case .plusOne: return bit || !geometry.window.hasPadding
        case .minusOne: return !bit || !geometry.window.hasPadding
        }
      case .pool, .pointwise: return false
      }
    }
  }

  /// - Parameters:
  ///   - kept: the channels that stay.
  ///   - constants: the bits of those that do not, where they are constant.
  func keep(_ kept: [Int], constants: [Int: Bool], in graph: inout Graph) {
    for index in pools {
      guard case .binaryPool(var pool) = graph.nodes[index].op else { continue }
      if pool.inverted.count > 1 { pool.inverted = kept.map { pool.inverted[$0] } }
      graph.nodes[index].op = .binaryPool(pool)
    }
    for index in blocks {
      guard case .block(var block) = graph.nodes[index].op,
        let weights = graph.nodes[index].input(1), let tensor = graph[weights].constant
      else { continue }
      if case .binaryConvolution = block.core, let packed = tensor.packed {
        block.epilogue = block.epilogue.adding(packed.sums(of: constants))
        graph.nodes[index].op = .block(block)
      }
      let axis = tensor.packed == nil ? 1 : tensor.shape.rank - 1
      graph.nodes[index].inputs[1] = graph.addConstant(
        tensor.selecting(kept, axis: axis), name: graph[weights].name)
    }
  }
}
