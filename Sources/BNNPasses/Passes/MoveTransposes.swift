import BNNGraph
import BNNTensor

/// Moves transpositions to and from channels-last until they meet and cancel.
///
/// Exporters of channels-last networks write convolutions and pools between two transpositions, and
/// drop those that cancel across operators that they know; around a sign, a comparison or a
/// selection they stay.
///
/// Before: `Transpose(f(Transpose(x)))`, to channels-last and back.
/// After: `f(x)`. f is made of operators that go element by element, whose constants are transposed,
/// concatenations, splits, slices, paddings and reductions.
///
/// A transposition to channels-last moves behind what reads it; one to channels-first of something
/// computed element by element from an input moves to that input: what is between has its channels
/// where every other pass looks for them. With three axes a transposition there is one back, too: there what
/// is around decides which it is.
public struct MoveTransposes: Pass {
  public let name = "move-transposes"
  public let summary = "Moves transpositions of channels-last networks until they cancel."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let isTransposed = graph.nodes.contains {
      if case .transpose = $0.op { true } else { false }
    }
    guard isTransposed else { return outcome }
    moveToInputs(in: &graph, &outcome)
    try graph.removeDeadNodes()
    try graph.inferTypes()
    moveBehindReaders(in: &graph, &outcome)
    return outcome
  }

  // MARK: To channels-first

  private func moveToInputs(in graph: inout Graph, _ outcome: inout PassOutcome) {
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard let transposition = Transposition(of: node, in: graph), transposition.isToChannelsFirst,
        let chain = chain(to: transposition.source, from: graph, uses)
      else { continue }
      var value = chain.start
      if let first = chain.transposition {
        guard first.followed(by: transposition).isIdentity else { continue }
        value = first.source
      } else {
        let readers = uses.consumers(of: node.outputs[0])
        guard
          transposition.permutation.count > 3
            || readers.contains(where: { graph.nodes[$0].readsChannelsFirst })
        else { continue }
        value = graph.add(node.op, name: node.name, inputs: [value])
      }
      for element in chain.nodes {
        let element = graph.nodes[element]
        let inputs = element.inputs.map { input -> ValueID? in
          guard let input, graph.constant(input) != nil else { return input.map { _ in value } }
          return graph.transposed(input, like: transposition.permutation)
        }
        value = graph.add(element.op, name: element.name, inputs: inputs)
        graph[value].type = graph[element.outputs[0]].type.map(transposition.applied)
      }
      graph.replaceUses(of: node.outputs[0], with: value)
      outcome.rewrote(node, "moved to '\(graph[chain.start].name)'")
    }
  }

  /// What computes a value element by element from an input of the graph or from what another
  /// transposition makes.
  private struct Chain {
    var start: ValueID
    /// Makes the start, if it is no input.
    var transposition: Transposition?
    /// Each with one operand that is not constant; others do not use what they make. At least one.
    var nodes: [Int]
  }

  private func chain(to value: ValueID, from graph: Graph, _ uses: Uses) -> Chain? {
    var chain = Chain(start: value, nodes: [])
    while let index = uses.producer(of: chain.start) {
      let node = graph.nodes[index]
      chain.transposition = Transposition(of: node, in: graph)
      if chain.transposition != nil { break }
      let data = node.inputs.compactMap { $0 }.filter { graph.constant($0) == nil }
      guard node.treatsAxesAlike, data.count == 1, uses.isUsedOnce(chain.start),
        graph.dimensions(data[0]) == graph.dimensions(chain.start)
      else { return nil }
      chain.nodes.insert(index, at: 0)
      chain.start = data[0]
    }
    let hasStart = chain.transposition != nil || graph.inputs.contains(chain.start)
    return hasStart && !chain.nodes.isEmpty ? chain : nil
  }

  // MARK: To channels-last

  private func moveBehindReaders(in graph: inout Graph, _ outcome: inout PassOutcome) {
    // By the transposed value. Nodes come after those that make what they read.
    var transposed: [ValueID: Transposition] = [:]
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      if let second = Transposition(of: node, in: graph) {
        guard let first = transposed[second.source] else {
          transposed[node.outputs[0]] = second
          continue
        }
        let both = first.followed(by: second)
        outcome.rewrote(node, both.isIdentity ? "cancelled" : "became one with the one before it")
        place(both, for: node.outputs[0], name: node.name, in: &graph, &transposed)
      } else if let moved = moved(node, before: transposed, in: &graph) {
        outcome.rewrote(node, "moved before a transposition")
        for (output, transposition) in zip(node.outputs, moved) {
          place(transposition, for: output, name: node.name, in: &graph, &transposed)
        }
      }
    }
  }

  /// Puts a transposition in the place of a value.
  private func place(
    _ transposition: Transposition, for old: ValueID, name: String, in graph: inout Graph,
    _ transposed: inout [ValueID: Transposition]
  ) {
    guard !transposition.isIdentity else {
      return graph.replaceUses(of: old, with: transposition.source)
    }
    let value = graph.add(
      .transpose(Transpose(permutation: transposition.permutation)),
      name: name + ".transposed", inputs: [transposition.source])
    graph[value].type = graph[old].type
    graph.replaceUses(of: old, with: value)
    transposed[value] = transposition
  }

  /// The results of a node on what is transposed for it, each with the transposition that follows;
  /// nil where not all of its operands are transposed in the same way to channels-last.
  private func moved(
    _ node: Node, before transposed: [ValueID: Transposition], in graph: inout Graph
  ) -> [Transposition]? {
    let own = node.inputs.lazy.compactMap { $0.flatMap { transposed[$0] } }
    guard let first = own.first, first.isToChannelsLast,
      first.permutation.count > 3 || graph.isMadeChannelsFirst(first.source),
      node.outputs.allSatisfy({ graph[$0].type != nil }),
      let (op, permutation) = node.moved(before: first.permutation, in: graph),
      node.outputs.allSatisfy({ graph[$0].type?.rank == permutation.count })
    else { return nil }
    var inputs: [ValueID?] = []
    for (position, input) in node.inputs.enumerated() {
      if let input, let other = transposed[input] {
        guard other.permutation == first.permutation else { return nil }
        inputs.append(other.source)
      } else if node.describesAxes(at: position) {
        inputs.append(node.movedParameter(position, before: first.permutation, in: &graph))
      } else if let input, let constant = graph.constant(input) {
        guard constant.shape.rank <= first.permutation.count else { return nil }
        inputs.append(graph.transposed(input, like: Transpose.inverse(of: first.permutation)))
      } else if let input, let type = graph[input].type, type.rank > 0 {
        guard node.treatsAxesAlike, let reshaped = graph.reshaped(input, undoing: first)
        else { return nil }
        inputs.append(reshaped)
      } else {
        inputs.append(input)
      }
    }
    let results = node.outputs.map { output in
      let value = graph.addValue(Value(name: node.name))
      let result = Transposition(source: value, permutation: permutation)
      graph[value].type = graph[output].type.map(result.undone)
      return result
    }
    graph.nodes.append(
      Node(name: node.name, op: op, inputs: inputs, outputs: results.map(\.source)))
    return results
  }
}
