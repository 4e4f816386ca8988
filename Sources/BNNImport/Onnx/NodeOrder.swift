/// The structure of a graph by names: who makes what, and in which order nodes can run.
enum NodeOrder {
  /// Checks that each name is defined once, and defined where it is used.
  ///
  /// - Parameter isOuter: whether the graphs around an inner graph define a name.
  static func checkNames(
    _ graph: OnnxGraph, isOuter: (String) -> Bool = { _ in false }
  ) throws(ImportFault) {
    var defined = Set<String>()
    for input in graph.inputs where !defined.insert(input.name).inserted {
      throw ImportFault(.duplicateValue(name: input.name), at: .input(name: input.name))
    }
    // An initializer may be listed among the inputs, too.
    var initializers = Set<String>()
    for (name, _) in graph.initializers where !initializers.insert(name).inserted {
      throw ImportFault(.duplicateValue(name: name), at: .tensor(name: name))
    }
    defined.formUnion(initializers)
    for node in graph.nodes {
      for output in node.outputs where !output.isEmpty && !defined.insert(output).inserted {
        throw ImportFault(.duplicateValue(name: output), at: node.place)
      }
    }
    for node in graph.nodes {
      for input in node.inputs
      where !input.isEmpty && !defined.contains(input) && !isOuter(input) {
        throw ImportFault(.undefinedValue(name: input), at: node.place)
      }
    }
    guard !graph.outputs.isEmpty else { throw ImportFault(.noOutputs) }
    var outputs = Set<String>()
    for output in graph.outputs {
      guard defined.contains(output.name) || isOuter(output.name) else {
        throw ImportFault(.undefinedValue(name: output.name))
      }
      guard outputs.insert(output.name).inserted else {
        throw ImportFault(.duplicateValue(name: output.name))
      }
    }
  }

  /// The nodes' indices, producers first and otherwise as in the file.
  static func sorted(_ graph: OnnxGraph) throws(ImportFault) -> [Int] {
    var producer: [String: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { producer[output] = index }
    }
    let reads = graph.nodes.map(\.reads)
    var order: [Int] = []
    order.reserveCapacity(graph.nodes.count)
    var state = [State](repeating: .unseen, count: graph.nodes.count)
    for start in graph.nodes.indices where state[start] == .unseen {
      // A depth-first walk to the producers, with a stack of its own: chains can be long.
      var stack: [(node: Int, nextInput: Int)] = [(start, 0)]
      state[start] = .open
      while let (node, nextInput) = stack.last {
        let inputs = reads[node]
        guard nextInput < inputs.count else {
          state[node] = .done
          order.append(node)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].nextInput += 1
        guard let source = producer[inputs[nextInput]], state[source] != .done else { continue }
        guard state[source] == .unseen else {
          let cycle = stack.drop { $0.node != source }.map { graph.nodes[$0.node].name }
          throw ImportFault(.cycle(nodes: cycle))
        }
        state[source] = .open
        stack.append((source, 0))
      }
    }
    return order
  }

  /// Whether each node, by index, has a part in the graph's outputs.
  static func needed(_ graph: OnnxGraph, order: [Int]) -> [Bool] {
    var isNeeded = [Bool](repeating: false, count: graph.nodes.count)
    var names = Set(graph.outputs.map(\.name))
    for index in order.reversed() {
      let node = graph.nodes[index]
      guard node.outputs.contains(where: names.contains) else { continue }
      isNeeded[index] = true
      names.formUnion(node.reads)
    }
    return isNeeded
  }

  private enum State { case unseen, open, done }
}
