import BNNTensor

extension Graph {
  /// Removes nodes and values that no output needs, and sorts the nodes so that producers come
  /// first, otherwise keeping their order. The graph's inputs stay, used or not. Values are
  /// numbered anew: a `ValueID` from before is no longer valid.
  public mutating func removeDeadNodes() throws(GraphError) {
    try verify()
    var isNeeded = [Bool](repeating: false, count: values.count)
    for id in inputs + outputs { isNeeded[id.index] = true }
    var kept: [Node] = []
    for index in try topologicalOrder().reversed() {
      let node = nodes[index]
      guard node.outputs.contains(where: { isNeeded[$0.index] }) else { continue }
      for id in node.outputs { isNeeded[id.index] = true }
      for case let id? in node.inputs { isNeeded[id.index] = true }
      kept.append(node)
    }
    kept.reverse()
    compact(keeping: isNeeded, nodes: kept)
  }

  private mutating func compact(keeping isNeeded: [Bool], nodes: [Node]) {
    var number = 0
    let renumbered = isNeeded.map { isNeeded in
      defer { number += isNeeded ? 1 : 0 }
      return ValueID(index: number)
    }
    replaceAll(
      values: zip(values, isNeeded).compactMap { $1 ? $0 : nil },
      nodes: nodes.map { node in
        var node = node
        node.inputs = node.inputs.map { $0.map { renumbered[$0.index] } }
        node.outputs = node.outputs.map { renumbered[$0.index] }
        return node
      },
      inputs: inputs.map { renumbered[$0.index] },
      outputs: outputs.map { renumbered[$0.index] })
  }
}
