import BNNGraph
import BNNTensor

/// Holds integers of 8 and 16 bits, between the casts that make and read them, as int32, which
/// files have.
///
/// Before: `Cast(x, to: uint8)`, moved or not, read by casts only: how quantized networks
/// (`QuantizeLinear`, `DequantizeLinear`) look.
/// After: `Cast(Clip(x, 0, 255), to: int32)`; the clip is what the cast did.
///
/// Values with which something is computed in their own type, where sums wrap around, stay.
///
/// Before: an input of such a type that, moved or not, is only cast to float32: images as bytes.
/// After: an input of float32, which takes integers as well. Other inputs become int32.
public struct WidenIntegers: Pass {
  public let name = "widen-integers"
  public let summary = "Holds integers of 8 and 16 bits as int32 between casts."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    for input in graph.inputs where graph[input].type?.elementType.isNarrow ?? false {
      guard let reached = valuesOfRealInput(input, in: graph) else { continue }
      for id in reached { graph[id].type?.elementType = .float32 }
      for node in graph.nodes where node.input(0).map(reached.contains) ?? false {
        if case .cast = node.op { outcome.rewrote(node, "an input of float32 in its place") }
      }
    }
    let widened = candidates(in: graph)
    guard !widened.isEmpty else { return outcome }
    for id in widened {
      graph[id].type?.elementType = .int32
      guard let tensor = graph[id].constant else { continue }
      graph[id].constant = Tensor(tensor.integers, shape: tensor.shape, elementType: .int32)
    }
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .cast(let cast) = node.op, widened.contains(node.outputs[0]),
        let x = node.input(0)
      else { continue }
      graph.nodes[index].op = .cast(Cast(to: .int32))
      outcome.rewrote(node, "int32 in the place of \(cast.to.rawValue)")
      guard graph[x].type?.elementType == .float32, let range = cast.to.integerRange else {
        continue
      }
      let bounds = [range.lowerBound, range.upperBound].map {
        graph.addConstant(Tensor(scalar: Float($0)), name: node.name + ".bound")
      }
      graph.nodes[index].inputs = [
        graph.add(.clip(Clip()), name: node.name + ".clip", inputs: [x] + bounds)
      ]
    }
    return outcome
  }

  /// An input and what it is after moves, where all of them are only cast to float32; else nil.
  private func valuesOfRealInput(_ input: ValueID, in graph: Graph) -> Set<ValueID>? {
    var reached: Set<ValueID> = [input]
    for node in graph.nodes where node.inputs.contains(where: { $0.map(reached.contains) ?? false })
    {
      if case .cast(let cast) = node.op, cast.to == .float32 { continue }
      let narrow = node.inputs.compactMap { $0 }
        .filter { graph[$0].type?.elementType.isNarrow ?? false }
      guard !node.movedInputs.isEmpty, narrow.allSatisfy(reached.contains) else { return nil }
      reached.formUnion(node.outputs)
    }
    return graph.outputs.contains(where: reached.contains) ? nil : reached
  }

  /// Values of such types that only casts and what moves elements make and read.
  private func candidates(in graph: Graph) -> Set<ValueID> {
    var found = Set(
      graph.valueIDs.filter { id in
        (graph[id].type?.elementType.isNarrow ?? false) && !graph.outputs.contains(id)
      })
    var changed = true
    while changed {
      changed = false
      for node in graph.nodes {
        let touched = Set(node.inputs.compactMap { $0 } + node.outputs)
          .filter { graph[$0].type?.elementType.isNarrow ?? false }
        guard !touched.isEmpty, !keeps(node, found, in: graph) else { continue }
        for value in touched where found.remove(value) != nil { changed = true }
      }
    }
    return found
  }

  /// Whether a node does with int32 what it does with narrow integers.
  private func keeps(_ node: Node, _ found: Set<ValueID>, in graph: Graph) -> Bool {
    switch node.op {
    case .cast(let cast):
      guard let x = node.input(0), let type = graph[x].type?.elementType else { return false }
      // Another integer type would wrap around.
      return !cast.to.isNarrow || type == .float32 || type == .bool
    default:
      let moved = node.movedInputs
      return !moved.isEmpty
        && (moved + node.outputs).allSatisfy {
          found.contains($0) || !(graph[$0].type?.elementType.isNarrow ?? false)
        }
    }
  }
}

extension ElementType {
  /// Whether it is of integers with 8 or 16 bits.
  fileprivate var isNarrow: Bool { isInteger && bitWidth <= 16 }
}
