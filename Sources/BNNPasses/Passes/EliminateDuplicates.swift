import BNNGraph
import BNNTensor

/// Lets nodes that compute the same share one result.
///
/// Before: two nodes with equal operators and equal operands; constants are equal when their
/// elements are.
/// After: all readers use the first one.
public struct EliminateDuplicates: Pass {
  public let name = "eliminate-duplicates"
  public let summary = "Computes once what several nodes compute alike."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    var representatives = Representatives(of: graph)
    var seen: [Key: [Int]] = [:]
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      let inputs = node.inputs.map { $0.map { representatives.of($0) } }
      let key = Key(operatorName: node.op.definition.name, inputs: inputs)
      let twin = seen[key]?.first { graph.nodes[$0].op.computesAlike(node.op) }
      // Outputs of the graph keep nodes of their own.
      guard let twin, graph.nodes[twin].outputs.count == node.outputs.count,
        !node.outputs.contains(where: graph.outputs.contains)
      else {
        seen[key, default: []].append(index)
        continue
      }
      for (old, new) in zip(node.outputs, graph.nodes[twin].outputs) {
        representatives.replace(old, with: new)
        graph.replaceUses(of: old, with: new)
      }
      outcome.rewrote(node, "the same as '\(graph.nodes[twin].name)'")
    }
    return outcome
  }

  private struct Key: Hashable {
    var operatorName: String
    var inputs: [ValueID?]
  }
}

extension Op {
  fileprivate func computesAlike(_ other: Op) -> Bool {
    // Who chose the bit at 0 does not matter once it is chosen.
    if case .binarize(let a) = self, case .binarize(let b) = other {
      return a.thresholds == b.thresholds
    }
    return self == other
  }
}

/// For every value, the first one that is known to be equal.
private struct Representatives {
  private var first: [ValueID: ValueID] = [:]

  init(of graph: Graph) {
    var constants: [Sample: [ValueID]] = [:]
    for id in graph.valueIDs {
      guard let tensor = graph[id].constant else { continue }
      let sample = Sample(tensor)
      if let equal = constants[sample]?.first(where: { graph[$0].constant == tensor }) {
        first[id] = equal
      } else {
        constants[sample, default: []].append(id)
      }
    }
  }

  func of(_ value: ValueID) -> ValueID { first[value] ?? value }

  mutating func replace(_ old: ValueID, with new: ValueID) { first[old] = of(new) }

  /// What equal tensors have in common, found quickly.
  private struct Sample: Hashable {
    var type: ElementType
    var shape: Shape
    var elements: Int

    init(_ tensor: Tensor) {
      (type, shape) = (tensor.elementType, tensor.shape)
      var hasher = Hasher()
      switch tensor.storage {
      // As bytes: an array is hashed element by element, and equal floats have equal bits.
      case .float(let elements): elements.withUnsafeBytes { hasher.combine(bytes: $0) }
      case .double(let elements): elements.withUnsafeBytes { hasher.combine(bytes: $0) }
      case .integer(let elements): elements.withUnsafeBytes { hasher.combine(bytes: $0) }
      case .bool(let elements): hasher.combine(elements)
      case .sign(let packed): hasher.combine(packed)
      }
      elements = hasher.finalize()
    }
  }
}
