import BNNGraph
import BNNTensor

/// Makes channels of the levels that a value is compared with (the thermometer coding of
/// FracBNN's input).
///
/// Before: `f(x, K)` with x [N, C, 1, s…] and a constant K [C, B, 1…], one by one, so that the
/// result is [N, C, B, s…]; then what is computed from it and scalars, and mostly a reshape to
/// [N, C·B, s…]. Or x [N, 1, s…] and K [B, 1…].
/// After: every channel of x is repeated B times (`Gather`), and f has one constant per channel:
/// [N, C·B, s…]. A reshape to [N, C, B, s…] comes last.
public struct FlattenThermometers: Pass {
  public let name = "flatten-thermometers"
  public let summary = "Makes channels of the levels that a value is compared with."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard let thermometer = Thermometer(node, in: graph) else { continue }
      thermometer.rewrite(in: &graph, uses)
      outcome.rewrote(node, "made channels of \(thermometer.levels) levels")
    }
    return outcome
  }
}

/// A node that combines every element of a value with several constants.
private struct Thermometer {
  let node: Node
  /// Which operand is the value.
  let side: Int
  let x: ValueID
  let channels: Int
  let levels: Int
  /// One constant per channel and level.
  let constants: Tensor
  /// The dimensions of the value and of the result.
  let from: [Dimension]
  let to: [Dimension]
  /// Along which the value is repeated: 1 or 2.
  let axis: Int

  init?(_ node: Node, in graph: Graph) {
    switch node.op {
    case .comparison, .elementwiseBinary: break
    default: return nil
    }
    guard node.inputs.count == 2, let a = node.input(0), let b = node.input(1) else { return nil }
    let side = graph.constant(a) == nil ? 0 : 1
    guard let table = graph.constant(side == 0 ? b : a), table.elementType == .float32,
      graph.constant(side == 0 ? a : b) == nil
    else { return nil }
    x = side == 0 ? a : b
    self.node = node
    self.side = side
    let (from, to) = (graph.dimensions(x), graph.dimensions(node.outputs[0]))
    (self.from, self.to) = (from, to)
    guard from.count == to.count, from.count >= 3,
      let axis = (1...2).first(where: { from[$0] == .fixed(1) && to[$0] != .fixed(1) }),
      from.indices.allSatisfy({ $0 == axis || from[$0] == to[$0] }),
      case .fixed(let levels) = to[axis], case .fixed(let channels) = from[1],
      axis == 1 || channels > 0, levels > 1
    else { return nil }
    self.axis = axis
    self.levels = levels
    self.channels = channels
    // The table differs along the channels and levels only.
    let missing = to.count - table.shape.rank
    guard missing >= 0 else { return nil }
    let extents = to.indices.map { $0 < missing ? 1 : table.shape[$0 - missing] }
    for (position, extent) in extents.enumerated() where extent != 1 {
      guard position == axis || (axis == 2 && position == 1) else { return nil }
    }
    guard extents[axis] == levels else { return nil }
    let perChannel = axis == 2 && extents[1] == channels
    let elements = table.floats
    let entries = (0..<channels * levels).map { elements[perChannel ? $0 : $0 % levels] }
    constants = Tensor(
      entries, shape: Shape([channels * levels] + from.dropFirst(axis + 1).map { _ in 1 }))
  }

  /// The dimensions with the levels as channels.
  private var flat: [Dimension] {
    [from[0], .fixed(channels * levels)] + from.dropFirst(axis + 1)
  }

  func rewrite(in graph: inout Graph, _ uses: Uses) {
    var value = x
    let narrow = [from[0], .fixed(channels)] + from.dropFirst(axis + 1)
    if narrow != from {
      value = reshape(value, from: from, to: narrow, .float32, in: &graph)
    }
    let indices = (0..<channels * levels).map { Int64($0 / levels) }
    let table = graph.addConstant(
      Tensor(indices, shape: [indices.count]), name: node.name + ".channels")
    value = graph.add(
      .gather(Gather(axis: 1)), name: node.name + ".levels", inputs: [value, table])
    graph[value].type = ValueType(.float32, flat)
    let constants = graph.addConstant(self.constants, name: node.name + ".constants")
    value = graph.add(
      node.op, name: node.name, inputs: side == 0 ? [value, constants] : [constants, value])
    graph[value].type = ValueType(type(of: node.outputs[0], in: graph), flat)
    var result = node.outputs[0]
    // What is computed element by element works on channels as well.
    while uses.isUsedOnce(result), let reader = uses.consumers(of: result).first {
      let next = graph.nodes[reader]
      guard next.isElementwise, next.outputs.count == 1,
        next.inputs.allSatisfy({
          $0 == result || $0 == nil || graph.constant($0)?.count == 1
        })
      else { break }
      value = graph.add(
        next.op, name: next.name, inputs: next.inputs.map { $0 == result ? value : $0 })
      result = next.outputs[0]
      graph[value].type = ValueType(type(of: result, in: graph), flat)
    }
    if flat != to {
      value = reshape(
        value, from: flat, to: to, type(of: result, in: graph), in: &graph)
    }
    graph.replaceUses(of: result, with: value)
  }

  private func type(of value: ValueID, in graph: Graph) -> ElementType {
    graph[value].type?.elementType ?? .float32
  }

  private func reshape(
    _ value: ValueID, from: [Dimension], to: [Dimension], _ type: ElementType,
    in graph: inout Graph
  ) -> ValueID {
    // The batch stays the first dimension; the others are fixed.
    let target = to.map { dimension in
      if case .fixed(let extent) = dimension { extent } else { 0 }
    }
    let result = graph.addReshape(value, to: target, name: node.name + ".channels")
    graph[result].type = ValueType(type, to)
    return result
  }
}
