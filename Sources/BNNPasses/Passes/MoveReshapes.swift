import BNNGraph

/// Flattens an input before its sign is taken instead of after it.
///
/// Before: `Reshape(Binarize(x))` with one threshold for all elements of a graph input x.
/// After: `Binarize(Reshape(x))`: the bits are packed once, in the order in which they are used.
/// Behind other values the sign stays where it is, as a part of the step that makes them.
public struct MoveReshapes: Pass {
  public let name = "move-reshapes"
  public let summary = "Flattens an input before its sign is taken, not after."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .reshape = node.op, let bits = node.input(0),
        let producer = uses.producer(of: bits),
        case .binarize(let binarize) = graph.nodes[producer].op, binarize.thresholds.count == 1,
        let x = graph.nodes[producer].input(0), graph.inputs.contains(x),
        uses.isUsedOnce(bits)
      else { continue }
      let sign = graph.nodes[producer]
      let flat = graph.add(node.op, name: node.name, inputs: [x] + node.inputs.dropFirst())
      graph[flat].type = graph[node.outputs[0]].type
      graph.nodes[index].op = sign.op
      graph.nodes[index].name = sign.name
      graph.nodes[index].inputs = [flat]
      outcome.rewrote(node, "moved before '\(graph.nodes[producer].name)'")
    }
    return outcome
  }
}
