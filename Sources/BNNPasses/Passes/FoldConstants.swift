import BNNGraph
import BNNTensor

/// Evaluates what depends on constants alone: weights that the graph computes (signs of latent
/// weights, mean |w|, reshapes, casts …) and the arithmetic of shapes.
///
/// A constant is released as soon as its last reader is folded, so that the memory needed is that
/// of one layer's intermediate results beyond the weights themselves. For the same reason what
/// broadcasts anyway reads a constant before it is expanded to the size of an activation.
public struct FoldConstants: Pass {
  public let name = "fold-constants"
  public let summary = "Evaluates everything that does not depend on the inputs."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    graph.skipExpands()
    var readers = [Int](repeating: 0, count: graph.values.count)
    for node in graph.nodes {
      for case let input? in node.inputs { readers[input.index] += 1 }
    }
    for output in graph.outputs { readers[output.index] += 1 }
    var folded: Set<Int> = []
    // Shapes and what is computed from them are known without the data.
    let inferred = try graph.inferredTypes()
    for value in graph.valueIDs where graph[value].constant == nil && !graph.inputs.contains(value)
    {
      graph[value].constant = inferred.knownValue(of: value)
    }
    for (index, node) in graph.nodes.enumerated() {
      let areKnown = node.outputs.allSatisfy { graph[$0].constant != nil }
      let isRead = node.outputs.contains { readers[$0.index] > 0 }
      if !areKnown {
        guard node.inputs.allSatisfy({ $0.map { graph.constant($0) != nil } ?? true }) else {
          continue
        }
        let operands = node.inputs.map { graph.constant($0) }
        let results = try node.attempt { () throws(OperatorError) in
          isRead ? try node.op.definition.evaluate(operands) : []
        }
        for (output, tensor) in zip(node.outputs, results) { graph[output].constant = tensor }
      }
      folded.insert(index)
      outcome.rewrote(node, "folded")
      for case let input? in node.inputs {
        readers[input.index] -= 1
        if readers[input.index] == 0, !graph.inputs.contains(input) { graph[input].constant = nil }
      }
    }
    // The values are constants now; a node that made one would make it twice.
    graph.nodes = graph.nodes.indices.filter { !folded.contains($0) }.map { graph.nodes[$0] }
    return outcome
  }
}

extension Graph {
  /// Lets what broadcasts read constants before they are expanded.
  fileprivate mutating func skipExpands() {
    var isKnown = values.map { $0.constant != nil }
    for id in inputs { isKnown[id.index] = false }
    var sources: [ValueID: ValueID] = [:]
    for index in nodes.indices {
      let node = nodes[index]
      // The extents may follow from those of an activation.
      if case .expand = node.op, let source = node.input(0), isKnown[source.index] {
        sources[node.outputs[0]] = source
      }
      if node.inputs.allSatisfy({ $0.map { isKnown[$0.index] } ?? true }) {
        for id in node.outputs { isKnown[id.index] = true }
        continue
      }
      for (position, input) in node.inputs.enumerated() {
        guard let source = input.flatMap({ sources[$0] }),
          broadcastsAlike(nodes[index], at: position, with: dimensions(source))
        else { continue }
        nodes[index].inputs[position] = source
      }
    }
  }
}
