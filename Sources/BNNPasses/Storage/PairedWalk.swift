import BNNGraph
import BNNTensor

/// The values of a graph and of a changed copy with the same nodes, node after node, on some runs.
struct PairedWalk {
  private var runs: [Run]
  /// Values that are the same in both graphs.
  private var equal: Set<ValueID>
  private let lastReaders: [ValueID: Int]
  private var passed = 0

  private struct Run {
    var exact: [ValueID: Tensor] = [:]
    var changed: [ValueID: Tensor] = [:]
  }

  /// - Parameter runs: inputs by name; there may be none.
  init(_ graph: Graph, runs: [[String: Tensor]]) {
    self.runs = runs.map { inputs in
      var run = Run()
      for id in graph.inputs {
        run.exact[id] = inputs[graph[id].name]
        run.changed[id] = inputs[graph[id].name]
      }
      return run
    }
    equal = Set(graph.inputs)
    var readers: [ValueID: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for case let input? in node.inputs { readers[input] = index }
    }
    lastReaders = readers
  }

  /// A value in each run, of the original and of the changed graph.
  func values(of id: ValueID) -> [(exact: Tensor, changed: Tensor)] {
    runs.compactMap { run in
      guard let exact = run.exact[id], let changed = run.changed[id] else { return nil }
      return (exact, changed)
    }
  }

  /// Evaluates the next node of both graphs, whose results have the same names.
  mutating func pass(_ node: Node, changed: Node, in graph: Graph) throws(GraphError) {
    defer { passed += 1 }
    guard !runs.isEmpty else { return }
    let isEqual =
      node == changed
      && node.inputs.allSatisfy { input in
        input.map { graph[$0].constant != nil || equal.contains($0) } ?? true
      }
    if isEqual { equal.formUnion(node.outputs) }
    for index in runs.indices {
      let exact = try PairedWalk.evaluate(node, runs[index].exact, graph)
      let other = isEqual ? exact : try PairedWalk.evaluate(changed, runs[index].changed, graph)
      for (id, (a, b)) in zip(node.outputs, zip(exact, other)) {
        (runs[index].exact[id], runs[index].changed[id]) = (a, b)
      }
      for case let id? in node.inputs where lastReaders[id] == passed {
        (runs[index].exact[id], runs[index].changed[id]) = (nil, nil)
      }
    }
  }

  private static func evaluate(
    _ node: Node, _ values: [ValueID: Tensor], _ graph: Graph
  ) throws(GraphError) -> [Tensor] {
    let operands = node.inputs.map { $0.flatMap { values[$0] ?? graph[$0].constant } }
    return try node.attempt { () throws(OperatorError) in
      try node.op.definition.evaluate(operands)
    }
  }
}
