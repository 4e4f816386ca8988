import BNNTensor

extension Graph {
  /// Checks the structure: every value has at most one origin (graph input, constant or node),
  /// every value that is used has one, and no node depends on itself. The order of the nodes does
  /// not matter; ``removeDeadNodes()`` sorts them.
  public func verify() throws(GraphError) {
    try checkOrigins()
    _ = try topologicalOrder()
  }

  private func checkOrigins() throws(GraphError) {
    var isDefined = values.map { $0.constant != nil }
    func define(_ id: ValueID, node: String) throws(GraphError) {
      guard isDefined.indices.contains(id.index) else {
        throw .undefinedValue(name: "#\(id.index)", node: node)
      }
      guard !isDefined[id.index] else { throw .twoProducers(value: self[id].name) }
      isDefined[id.index] = true
    }
    for id in inputs { try define(id, node: "the graph's inputs") }
    for node in nodes {
      for id in node.outputs { try define(id, node: node.name) }
    }
    for node in nodes {
      for case let id? in node.inputs
      where !isDefined.indices.contains(id.index)
        || !isDefined[id.index]
      {
        throw .undefinedValue(name: nameForMessages(id), node: node.name)
      }
    }
    for id in outputs where !isDefined.indices.contains(id.index) || !isDefined[id.index] {
      throw .undefinedOutput(name: nameForMessages(id))
    }
  }

  private func nameForMessages(_ id: ValueID) -> String {
    values.indices.contains(id.index) ? self[id].name : "#\(id.index)"
  }

  /// The indices of the nodes, producers before their users, otherwise in the order of the list.
  func topologicalOrder() throws(GraphError) -> [Int] {
    try topologicalOrder(from: Array(nodes.indices))
  }

  /// Puts the nodes that the outputs need in an order that does not depend on the list's: those of
  /// the first output first, for each node what its first input needs first. Others are removed.
  package mutating func sortByStructure() throws(GraphError) {
    let uses = uses()
    let order = try topologicalOrder(from: outputs.compactMap { uses.producer(of: $0) })
    nodes = order.map { nodes[$0] }
    try removeDeadNodes()
  }

  /// The indices of nodes and all that they need, producers before their users.
  private func topologicalOrder(from roots: [Int]) throws(GraphError) -> [Int] {
    let uses = uses()
    var order: [Int] = []
    var state = [VisitState](repeating: .new, count: nodes.count)
    for root in roots where state[root] == .new {
      // A stack of its own: a chain of nodes may be longer than the thread's stack.
      var path = [(node: root, nextInput: 0)]
      state[root] = .open
      while let (node, next) = path.last {
        guard next < nodes[node].inputs.count else {
          state[node] = .done
          order.append(node)
          path.removeLast()
          continue
        }
        path[path.count - 1].nextInput += 1
        guard let input = nodes[node].inputs[next], let producer = uses.producer(of: input) else {
          continue
        }
        switch state[producer] {
        case .done: continue
        case .open:
          let start = path.firstIndex { $0.node == producer } ?? 0
          throw .cycle(nodes: path[start...].map { nodes[$0.node].name })
        case .new:
          state[producer] = .open
          path.append((producer, 0))
        }
      }
    }
    return order
  }
}

private enum VisitState { case new, open, done }
