import BNNGraph
import BNNTensor

/// Adds to a part of the channels what was padded with zeros to all of them (MeliusNet's improvement
/// blocks), and takes parts of concatenations where they are.
///
/// Before: `Add(x, Pad(y))` with zeros along one axis.
/// After: `Concat(x₁, Add(x₂, y), x₃)` with the parts x₁, x₂ and x₃ of x along it: operands of the
/// concatenation that makes x where it has such, else slices. What stays the same is not added to, and
/// need not even be copied.
///
/// Before: `Slice(Concat(a, b, …))` of whole operands along the axis of the concatenation.
/// After: that operand, or the concatenation of those.
///
/// Exact but for −0 + 0, which is −0 afterwards.
public struct NarrowAdditions: Pass {
  public let name = "narrow-additions"
  public let summary = "Adds to a part of the channels, not zeros to the others."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    var uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      if case .slice = node.op, let result = sliceOfConcatenation(node, in: &graph, uses) {
        graph.replaceUses(of: node.outputs[0], with: result)
        outcome.rewrote(node, "taken from the concatenation's operands")
        uses = graph.uses()
      } else if let result = narrowed(node, in: &graph, uses) {
        graph.replaceUses(of: node.outputs[0], with: result)
        outcome.rewrote(node, "adds to a part")
        uses = graph.uses()
      }
    }
    return outcome
  }

  // MARK: Additions

  private func narrowed(_ node: Node, in graph: inout Graph, _ uses: Uses) -> ValueID? {
    guard case .elementwiseBinary(let binary) = node.op, binary.kind == .add,
      let a = node.input(0), let b = node.input(1), a != b
    else { return nil }
    for (x, wide) in [(a, b), (b, a)] {
      guard let padding = padding(wide, in: graph, uses),
        graph[x].type == graph[node.outputs[0]].type, graph[x].type == graph[wide].type,
        let type = graph[x].type
      else { continue }
      let end = padding.range.upperBound
      let parts = [0..<padding.range.lowerBound, padding.range, end..<padding.extent]
      var pieces: [ValueID] = []
      for part in parts where !part.isEmpty {
        var piece = graph.part(of: x, part, axis: padding.axis, name: node.name, uses)
        if part == padding.range {
          let addends = x == a ? [piece, padding.source] : [padding.source, piece]
          piece = graph.add(node.op, name: node.name, inputs: addends)
          graph[piece].type = type.resized(padding.axis, to: part.count)
        }
        pieces.append(piece)
      }
      let result = graph.add(
        .concat(Concat(axis: padding.axis)), name: node.name + ".joined", inputs: pieces)
      graph[result].type = type
      return result
    }
    return nil
  }

  /// A value of numbers among zeros along one axis.
  private struct Padding {
    var source: ValueID
    var axis: Int
    /// Where the numbers are, and the extent of the axis with the zeros.
    var range: Range<Int>
    var extent: Int
  }

  private func padding(_ value: ValueID, in graph: Graph, _ uses: Uses) -> Padding? {
    guard let index = uses.producer(of: value), case .pad(let pad) = graph.nodes[index].op,
      pad.mode == .constant, uses.isUsedOnce(value), graph.nodes[index].input(3) == nil,
      let source = graph.nodes[index].input(0),
      let pads = graph.constant(graph.nodes[index].input(1))?.integers,
      let fill = graph.nodes[index].input(2).map({ graph.scalar($0) }) ?? 0, fill == 0,
      let type = graph[value].type, type.elementType.isFloatingPoint, pads.count == 2 * type.rank
    else { return nil }
    let padded = (0..<type.rank).filter { pads[$0] != 0 || pads[$0 + type.rank] != 0 }
    guard padded.count == 1, let axis = padded.first, pads[axis] >= 0,
      pads[axis + type.rank] >= 0, case .fixed(let extent) = type.dimensions[axis]
    else { return nil }
    let range = Int(pads[axis])..<extent - Int(pads[axis + type.rank])
    return range.isEmpty
      ? nil : Padding(source: source, axis: axis, range: range, extent: extent)
  }

  // MARK: Slices

  private func sliceOfConcatenation(
    _ node: Node, in graph: inout Graph, _ uses: Uses
  ) -> ValueID? {
    guard let x = node.input(0), let slice = graph.slice(node) else { return nil }
    return graph.operands(of: x, slice.range, axis: slice.axis, name: node.name, uses)
  }
}

extension Graph {
  /// A part of a value along an axis.
  fileprivate mutating func part(
    of value: ValueID, _ range: Range<Int>, axis: Int, name: String, _ uses: Uses
  ) -> ValueID {
    if let operands = operands(of: value, range, axis: axis, name: name, uses) { return operands }
    func list(_ number: Int, _ graph: inout Graph) -> ValueID {
      graph.addConstant(Tensor([Int64(number)], shape: [1]), name: name + ".part")
    }
    let inputs = [
      value, list(range.lowerBound, &self), list(range.upperBound, &self), list(axis, &self),
    ]
    let result = add(.slice(Slice()), name: name + ".part", inputs: inputs)
    self[result].type = self[value].type?.resized(axis, to: range.count)
    return result
  }

  /// A part of a value as the operands of the concatenation that makes it; nil where there is no such
  /// or it begins or ends inside of one.
  fileprivate mutating func operands(
    of value: ValueID, _ range: Range<Int>, axis: Int, name: String, _ uses: Uses
  ) -> ValueID? {
    guard let index = uses.producer(of: value), case .concat(let concat) = nodes[index].op,
      let type = self[value].type,
      axis == (concat.axis < 0 ? concat.axis + type.rank : concat.axis)
    else { return nil }
    var (place, parts) = (0, [ValueID]())
    for case let operand? in nodes[index].inputs {
      guard let own = self[operand].type, case .fixed(let extent) = own.dimensions[axis] else {
        return nil
      }
      if range.contains(place), place + extent <= range.upperBound, extent > 0 {
        parts.append(operand)
      } else if place < range.upperBound, range.lowerBound < place + extent {
        // All of it is wanted from inside of one operand.
        guard place <= range.lowerBound, range.upperBound <= place + extent else { return nil }
        let inner = range.lowerBound - place..<range.upperBound - place
        return operands(of: operand, inner, axis: axis, name: name, uses)
      }
      place += extent
    }
    guard parts.count != 1 else { return parts[0] }
    guard !parts.isEmpty else { return nil }
    let result = add(.concat(Concat(axis: axis)), name: name + ".parts", inputs: parts)
    self[result].type = type.resized(axis, to: range.count)
    return result
  }
}

extension ValueType {
  fileprivate func resized(_ axis: Int, to extent: Int) -> ValueType {
    var type = self
    type.dimensions[axis] = .fixed(extent)
    return type
  }
}
