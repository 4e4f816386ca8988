import BNNGraph
import BNNTensor

/// Removes what does not change a value, and writes changes of shape in one way.
///
/// - `Identity`, a `Cast` to the type that the operand has or came from, `Concat` of one operand,
///   `Transpose` and `Reshape` that change nothing, `Pad` by nothing, a factor or divisor of 1.
/// - `Flatten`, `Squeeze`, `Unsqueeze` and `Reshape` with a computed shape become `Reshape` with
///   a constant shape (the batch stays open); of two reshapes in a row the first goes.
/// - A constant that was expanded to full size is collapsed, and an `Expand` dropped, where the
///   operator that reads it broadcasts anyway.
public struct EliminateIdentities: Pass {
  public let name = "eliminate-identities"
  public let summary = "Removes operators that change nothing; writes reshapes in one way."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    var changed = true
    while changed {
      changed = false
      for index in graph.nodes.indices {
        if collapseBroadcasts(of: index, in: &graph) { changed = true }
        if let replacement = try replacement(for: index, in: &graph),
          !graph.needsName(of: graph.nodes[index].outputs[0], besides: replacement)
        {
          graph.replaceUses(of: graph.nodes[index].outputs[0], with: replacement)
          outcome.rewrote(graph.nodes[index], "eliminated")
          changed = true
        }
      }
      guard changed else { break }
      try graph.removeDeadNodes()
      try graph.inferTypes()
    }
    return outcome
  }

  /// What a node's users may use instead of its output.
  private func replacement(for index: Int, in graph: inout Graph) throws(GraphError) -> ValueID? {
    let node = graph.nodes[index]
    guard let input = node.input(0), let inputType = graph[input].type,
      let outputType = graph[node.outputs[0]].type
    else { return nil }
    let isUsed = graph.nodes.contains { $0.inputs.contains(node.outputs[0]) }
    guard isUsed || graph.outputs.contains(node.outputs[0]) else { return nil }
    switch node.op {
    case .identity: return input
    case .cast(let cast):
      if inputType.elementType == cast.to { return input }
      // There and back through a wider type.
      if let inner = graph.producer(of: input), case .cast(let first) = inner.op,
        let original = inner.input(0), let type = graph[original].type?.elementType,
        type == cast.to, type == .float32 && first.to == .float64
      {
        return original
      }
      return nil
    case .concat: return node.inputs.count == 1 ? input : nil
    case .transpose(let transpose):
      return transpose.permutation == Array(0..<inputType.rank) ? input : nil
    case .pad:
      guard let pads = graph.constant(node.input(1))?.integers else { return nil }
      return pads.allSatisfy { $0 == 0 } ? input : nil
    case .expand: return inputType == outputType ? input : nil
    case .constantOfShape(let constant):
      let value = graph.addConstant(constant.value.reshaped(to: []), name: node.name + ".value")
      return graph.add(.expand(Expand()), name: node.name, inputs: [value, input])
    case .elementwiseUnary:
      // An expanded constant goes on being one, so that its reader can drop the Expand.
      guard let inner = graph.producer(of: input), case .expand = inner.op else { return nil }
      guard let constant = graph.constant(inner.input(0)) else { return nil }
      let results = try node.attempt { () throws(OperatorError) in
        try node.op.definition.evaluate([constant])
      }
      let narrow = graph.addConstant(results[0], name: node.name + ".value")
      return graph.add(.expand(Expand()), name: node.name, inputs: [narrow, inner.input(1)])
    case .elementwiseBinary(let binary):
      guard binary.kind == .multiply || binary.kind == .divide, graph.scalar(node.input(1)) == 1,
        inputType == outputType
      else { return nil }
      return input
    case .reshape, .flatten, .squeeze, .unsqueeze:
      return graph.simplifiedReshape(node)
    default: return nil
    }
  }

  /// Lets a broadcasting node read a small constant instead of one that was expanded.
  private func collapseBroadcasts(of index: Int, in graph: inout Graph) -> Bool {
    guard graph.nodes[index].isElementwise else { return false }
    var changed = false
    for (position, input) in graph.nodes[index].inputs.enumerated() {
      guard let input else { continue }
      let node = graph.nodes[index]
      if let inner = graph.producer(of: input), case .expand = inner.op,
        let source = inner.input(0), let narrow = graph[source].type?.dimensions,
        graph.broadcastsAlike(node, at: position, with: narrow)
      {
        graph.nodes[index].inputs[position] = source
        changed = true
      } else if let tensor = graph.constant(input), tensor.count > 1,
        let small = tensor.collapsed(keeping: {
          graph.broadcastsAlike(node, at: position, with: $0.dimensions.map { .fixed($0) })
        })
      {
        graph.nodes[index].inputs[position] = graph.addConstant(small, name: graph[input].name)
        changed = true
      }
    }
    return changed
  }
}

extension Graph {
  /// Whether a value is an output that would lose its name if `other` took its place: a model whose
  /// output is its input, a constant or another output keeps the node that says so.
  fileprivate func needsName(of value: ValueID, besides other: ValueID) -> Bool {
    outputs.contains(value)
      && (inputs.contains(other) || outputs.contains(other) || constant(other) != nil)
  }

  /// Whether a node broadcasts its operands, and its result has the same dimensions with an operand
  /// of others at a position.
  func broadcastsAlike(_ node: Node, at position: Int, with narrow: [Dimension]) -> Bool {
    guard node.isElementwise, node.inputs.count >= 2, let output = self[node.outputs[0]].type else {
      return false
    }
    if case .batchNormalization = node.op { return false }
    let others = node.inputs.enumerated().compactMap { other, value in
      other == position ? nil : value.flatMap { self[$0].type?.dimensions }
    }
    return Dimension.broadcast(others + [narrow]) == output.dimensions
  }

  /// The node that makes a value, by a search; passes that ask often use ``Uses``.
  func producer(of value: ValueID) -> Node? { nodes.first { $0.outputs.contains(value) } }

  /// What may stand for a `Reshape`, `Flatten`, `Squeeze` or `Unsqueeze`: its operand where it
  /// changes nothing, else one `Reshape` with a constant shape for it and a reshape before it. nil
  /// where it is such a `Reshape` already.
  mutating func simplifiedReshape(_ node: Node) -> ValueID? {
    guard let input = node.input(0), let from = self[input].type,
      let to = self[node.outputs[0]].type
    else { return nil }
    if from == to { return input }
    if let inner = producer(of: input), case .reshape = inner.op, let original = inner.input(0),
      let type = self[original].type
    {
      if type == to { return original }
      if let target = type.reshapeTarget(to) {
        return addReshape(original, to: target, name: node.name)
      }
    }
    if case .reshape(let reshape) = node.op, constant(node.input(1)) != nil, !reshape.allowsZero {
      return nil
    }
    guard let target = from.reshapeTarget(to) else { return nil }
    return addReshape(input, to: target, name: node.name)
  }

  /// Adds a `Reshape` to a constant shape.
  mutating func addReshape(_ input: ValueID, to target: [Int], name: String) -> ValueID {
    let shape = addConstant(
      Tensor(target.map { Int64($0) }, shape: [target.count]), name: name + ".shape")
    return add(.reshape(Reshape()), name: name, inputs: [input, shape])
  }
}

extension ValueType {
  /// The operand of ONNX `Reshape` that turns this type into another: 0 copies a dimension and −1
  /// is what remains. nil when the batch stands where neither can express it.
  func reshapeTarget(_ to: ValueType) -> [Int]? {
    var target: [Int] = []
    for (axis, dimension) in to.dimensions.enumerated() {
      switch dimension {
      case .fixed(0): return nil
      case .fixed(let extent): target.append(extent)
      case .batch:
        if axis < rank, dimensions[axis] == dimension {
          target.append(0)
        } else if !target.contains(-1) {
          target.append(-1)
        } else {
          return nil
        }
      }
    }
    return target
  }
}

extension Dimension {
  /// The dimensions that operands have together under the broadcasting rule, or nil.
  static func broadcast(_ operands: [[Dimension]]) -> [Dimension]? {
    let rank = operands.map(\.count).max() ?? 0
    var result = [Dimension](repeating: .fixed(1), count: rank)
    for operand in operands {
      for (offset, dimension) in operand.enumerated() where dimension != .fixed(1) {
        let axis = offset + rank - operand.count
        guard result[axis] == .fixed(1) || result[axis] == dimension else { return nil }
        result[axis] = dimension
      }
    }
    return result
  }
}

extension Tensor {
  /// The tensor with an extent of 1 along every axis along which it is constant, as long as the
  /// new shape passes `isAllowed`; nil when there is no such axis.
  func collapsed(keeping isAllowed: (Shape) -> Bool) -> Tensor? {
    var result: Tensor?
    for axis in 0..<shape.rank {
      let current = result ?? self
      var extents = current.shape.dimensions
      guard extents[axis] > 1 else { continue }
      extents[axis] = 1
      guard isAllowed(Shape(extents)), let next = current.collapsed(axis: axis) else { continue }
      result = next
    }
    return result
  }

  private func collapsed(axis: Int) -> Tensor? {
    var extents = shape.dimensions
    let count = extents[axis]
    let inner = shape.strides[axis]
    extents[axis] = 1
    let outer = self.count / (count * inner)
    func pick<Element: Equatable>(_ elements: [Element]) -> [Element]? {
      var kept: [Element] = []
      for o in 0..<outer {
        for i in 0..<inner {
          let first = elements[o * count * inner + i]
          for k in 1..<count where elements[(o * count + k) * inner + i] != first { return nil }
          kept.append(first)
        }
      }
      return kept
    }
    switch storage {
    case .float(let elements):
      return pick(elements).map { Tensor($0, shape: Shape(extents), elementType: elementType) }
    case .double(let elements): return pick(elements).map { Tensor($0, shape: Shape(extents)) }
    case .integer(let elements):
      return pick(elements).map { Tensor($0, shape: Shape(extents), elementType: elementType) }
    case .bool(let elements): return pick(elements).map { Tensor($0, shape: Shape(extents)) }
    case .sign: return nil
    }
  }
}
