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
      } else if node.isParameter(position) {
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

/// A `Transpose` of a value: axis i of the result is axis `permutation[i]` of the source.
private struct Transposition {
  var source: ValueID
  var permutation: [Int]

  init(source: ValueID, permutation: [Int]) {
    (self.source, self.permutation) = (source, permutation)
  }

  init?(of node: Node, in graph: Graph) {
    guard case .transpose(let transpose) = node.op, let source = node.input(0),
      let rank = graph[source].type?.rank
    else { return nil }
    self.source = source
    permutation =
      transpose.permutation.isEmpty ? Array((0..<rank).reversed()) : transpose.permutation
  }

  var isIdentity: Bool { permutation == Array(permutation.indices) }
  /// The channels, axis 1, become the last axis, or the last axis the channels. The batch stays. With
  /// three axes both are the same.
  var isToChannelsLast: Bool { isOfBatches && permutation.last == 1 }
  var isToChannelsFirst: Bool { isOfBatches && permutation[1] == permutation.count - 1 }
  private var isOfBatches: Bool { permutation.count > 2 && permutation[0] == 0 }

  func followed(by second: Transposition) -> Transposition {
    Transposition(source: source, permutation: second.permutation.map { permutation[$0] })
  }

  func applied(to type: ValueType) -> ValueType {
    ValueType(type.elementType, permutation.map { type.dimensions[$0] })
  }

  /// The type that the transposition turns into this one.
  func undone(_ type: ValueType) -> ValueType {
    ValueType(
      type.elementType, Transpose.inverse(of: permutation).map { type.dimensions[$0] })
  }
}

extension Transpose {
  fileprivate static func inverse(of permutation: [Int]) -> [Int] {
    var inverse = permutation
    for (axis, source) in permutation.enumerated() { inverse[source] = axis }
    return inverse
  }
}

extension Node {
  /// Whether the node goes element by element, and does the same along every axis.
  fileprivate var treatsAxesAlike: Bool {
    switch op {
    case .batchNormalization, .block: false
    case .binarize(let binarize): binarize.thresholds.count == 1
    default: isElementwise
    }
  }

  /// Whether the node takes axis 1 for the channels.
  fileprivate var readsChannelsFirst: Bool {
    switch op {
    case .convolution, .transposedConvolution, .pool, .batchNormalization: true
    default: false
    }
  }

  /// Whether an operand has one entry per axis, or lists axes.
  fileprivate func isParameter(_ position: Int) -> Bool {
    switch op {
    case .pad, .reduce, .slice, .split: position != 0
    default: false
    }
  }

  /// The operator that does the same before a transposition of its operands, and how its result is
  /// transposed then; nil where there is none.
  fileprivate func moved(before permutation: [Int], in graph: Graph) -> (Op, [Int])? {
    switch op {
    case .concat(var concat):
      let axis = concat.axis < 0 ? concat.axis + permutation.count : concat.axis
      guard permutation.indices.contains(axis) else { return nil }
      concat.axis = permutation[axis]
      return (.concat(concat), permutation)
    case .split(var split):
      let axis = split.axis < 0 ? split.axis + permutation.count : split.axis
      guard permutation.indices.contains(axis) else { return nil }
      split.axis = permutation[axis]
      return (.split(split), permutation)
    case .slice:
      return listedAxes(at: 3, rank: permutation.count, in: graph) == nil ? nil : (op, permutation)
    case .pad:
      guard let pads = graph.constant(input(1))?.integers, input(3) == nil,
        pads.count == 2 * permutation.count
      else { return nil }
      return (op, permutation)
    case .reduce(let reduce):
      guard let axes = listedAxes(at: 1, rank: permutation.count, in: graph) else { return nil }
      let sources = axes.sorted().map { permutation[$0] }
      // Sums are added in the order of the axes.
      guard sources == sources.sorted() else { return nil }
      if reduce.keepDimensions { return (op, permutation) }
      let kept = permutation.indices.filter { !axes.contains($0) }.map { permutation[$0] }
      let order = kept.sorted()
      return (op, kept.compactMap { order.firstIndex(of: $0) })
    default: return treatsAxesAlike ? (op, permutation) : nil
    }
  }

  /// The axes that an operand lists, where they are known and at least one.
  private func listedAxes(at position: Int, rank: Int, in graph: Graph) -> [Int]? {
    guard let listed = graph.constant(input(position))?.integers, !listed.isEmpty else {
      return nil
    }
    let axes = listed.map { Int($0) < 0 ? Int($0) + rank : Int($0) }
    return axes.allSatisfy((0..<rank).contains) && Set(axes).count == axes.count ? axes : nil
  }

  /// What stands for a parameter before a transposition.
  fileprivate func movedParameter(
    _ position: Int, before permutation: [Int], in graph: inout Graph
  ) -> ValueID? {
    let rank = permutation.count
    var result: [Int64]
    switch op {
    case .reduce where position == 1, .slice where position == 3:
      let axes = listedAxes(at: position, rank: rank, in: graph) ?? []
      result = axes.map { Int64(permutation[$0]) }
    case .pad where position == 1:
      let pads = graph.constant(input(position))?.integers ?? []
      result = pads
      for (axis, source) in permutation.enumerated() {
        result[source] = pads[axis]
        result[source + rank] = pads[axis + rank]
      }
    default: return input(position)
    }
    let name = input(position).map { graph[$0].name } ?? ""
    return graph.addConstant(Tensor(result, shape: [result.count]), name: name)
  }
}

extension Graph {
  /// Whether a value has its channels along axis 1 because of what made it.
  fileprivate func isMadeChannelsFirst(_ value: ValueID) -> Bool {
    var seen: Set<ValueID> = []
    var open = [value]
    while let next = open.popLast() {
      guard seen.insert(next).inserted, let node = producer(of: next) else { continue }
      if node.readsChannelsFirst { return true }
      switch node.op {
      case .concat, .pad: break
      default: guard node.treatsAxesAlike else { continue }
      }
      open += node.inputs.compactMap { $0 }
    }
    return false
  }

  /// What a transposition turns into a value that has one extent above 1 beside the batch, as gates
  /// of channels have: a reshape. nil for other values.
  fileprivate mutating func reshaped(
    _ value: ValueID, undoing transposition: Transposition
  ) -> ValueID? {
    guard let type = self[value].type, type.rank == transposition.permutation.count,
      type.dimensions.dropFirst().count(where: { $0 != .fixed(1) }) <= 1,
      transposition.permutation[0] == 0
    else { return nil }
    let wanted = transposition.undone(type)
    guard wanted != type else { return value }
    var source = value
    if let node = producer(of: value), case .reshape = node.op, let original = node.input(0) {
      source = original
    }
    if self[source].type == wanted { return source }
    guard let target = self[source].type?.reshapeTarget(wanted) else { return nil }
    let result = addReshape(source, to: target, name: self[value].name + ".transposed")
    self[result].type = wanted
    return result
  }

  /// A constant operand of an elementwise node, transposed like its other operands. What is the same
  /// along all axes stays.
  fileprivate mutating func transposed(_ value: ValueID, like permutation: [Int]) -> ValueID {
    guard let tensor = constant(value), tensor.count != 1 else { return value }
    let missing = permutation.count - tensor.shape.rank
    let extents = [Int](repeating: 1, count: missing) + tensor.shape.dimensions
    let full = tensor.reshaped(to: Shape(extents))
    let result = try? Transpose(permutation: permutation).evaluate([full])
    return result.map { addConstant($0[0], name: self[value].name) } ?? value
  }
}
