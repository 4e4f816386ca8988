import BNNGraph
import BNNTensor

/// Runs a network and what it becomes side by side on calibration data, layer after layer, so that
/// every layer is fitted to what it will really read.
///
/// Both are evaluated by the reference's operators in the order of the nodes, each node once. Only
/// values that differ from the real network's are held twice, and none longer than it is read.
struct CalibrationWalk {
  /// The real network, sorted.
  private let graph: Graph
  /// Whether a node is needed for one of the layers.
  private let isNeeded: [Bool]
  private let lastUses: [Int]
  /// One per run.
  private var states: [State] = []
  /// The next node.
  private var position = 0

  private struct State {
    var real: [ValueID: Tensor]
    var changed: [ValueID: Tensor] = [:]
  }

  /// - Parameters:
  ///   - graph: sorted and with types.
  ///   - layers: the indices of nodes whose inputs and outputs are wanted.
  ///   - runs: the graph's inputs by name, for each run.
  init(
    _ graph: Graph, layers: Set<Int>, runs: [[String: Tensor]]
  ) throws(GraphError) {
    self.graph = graph
    var needed = [Bool](repeating: false, count: graph.nodes.count)
    var values: Set<ValueID> = []
    for index in graph.nodes.indices.reversed() {
      let node = graph.nodes[index]
      guard layers.contains(index) || node.outputs.contains(where: values.contains) else {
        continue
      }
      needed[index] = true
      values.formUnion(node.inputs.compactMap { $0 })
    }
    isNeeded = needed
    var lastUses = [Int](repeating: -1, count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() where needed[index] {
      for case let id? in node.inputs { lastUses[id.index] = index }
    }
    self.lastUses = lastUses
    for run in runs {
      try ReferenceExecutor(graph).check(run)
      let inputs = graph.inputs.compactMap { id in run[graph[id].name].map { (id, $0) } }
      states.append(State(real: Dictionary(inputs) { first, _ in first }))
    }
  }

  /// Evaluates all nodes before one, and that one in the real network.
  mutating func advance(to layer: Int) throws(GraphError) {
    while position < layer {
      try evaluate(position)
      release(after: position)
      position += 1
    }
    try evaluate(layer)
    position = layer + 1
  }

  private mutating func evaluate(_ index: Int) throws(GraphError) {
    guard isNeeded[index] else { return }
    let node = graph.nodes[index]
    for run in states.indices {
      let operands = node.inputs.map { $0.flatMap { real($0, run) } }
      for (id, result) in zip(node.outputs, try node.results(operands)) {
        states[run].real[id] = result
      }
      guard node.inputs.contains(where: { $0.map { states[run].changed[$0] != nil } ?? false })
      else { continue }
      let changed = node.inputs.map { $0.flatMap { states[run].changed[$0] ?? real($0, run) } }
      for (id, result) in zip(node.outputs, try node.results(changed)) {
        states[run].changed[id] = result
      }
    }
  }

  private mutating func release(after index: Int) {
    let node = graph.nodes[index]
    for id in node.inputs.compactMap({ $0 }) + node.outputs where lastUses[id.index] <= index {
      for run in states.indices {
        states[run].real[id] = nil
        states[run].changed[id] = nil
      }
    }
  }

  private func real(_ id: ValueID, _ run: Int) -> Tensor? {
    graph[id].constant ?? states[run].real[id]
  }

  /// A value of the real network, one tensor per run.
  func realValues(_ id: ValueID) -> [Tensor] {
    states.indices.compactMap { real(id, $0) }
  }

  /// A value as it is with the layers that were replaced.
  func values(_ id: ValueID) -> [Tensor] {
    states.indices.compactMap { states[$0].changed[id] ?? real(id, $0) }
  }

  /// Makes the nodes that stand for the layer that was advanced to count from here on.
  ///
  /// - Parameters:
  ///   - nodes: of a changed graph, in an order in which they can run.
  ///   - changed: the graph they belong to, with their constants.
  ///   - input: the value of `changed` that they read, and that of the real network in its place.
  ///   - output: the last one's output, and that of the real network in its place.
  mutating func replace(
    with nodes: ArraySlice<Node>, of changed: Graph, input: (ValueID, for: ValueID),
    output: (ValueID, for: ValueID)
  ) throws(GraphError) {
    let layer = position - 1
    for (run, tensor) in values(input.for).enumerated() {
      var local = [input.0: tensor]
      for node in nodes {
        let operands = node.inputs.map { id in
          id.flatMap { changed[$0].constant ?? local[$0] }
        }
        for (id, result) in zip(node.outputs, try node.results(operands)) { local[id] = result }
      }
      states[run].changed[output.for] = local[output.0]
    }
    release(after: layer)
  }
}

extension Node {
  /// The results of the operator, as many as the node has outputs.
  fileprivate func results(_ operands: [Tensor?]) throws(GraphError) -> [Tensor] {
    let results = try attempt { () throws(OperatorError) in
      try op.definition.evaluate(operands)
    }
    try checkOutputs(results.count)
    return results
  }
}
