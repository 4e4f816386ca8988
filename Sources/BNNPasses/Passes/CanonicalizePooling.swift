import BNNGraph
import BNNTensor

/// Writes the mean over all spatial axes as a global average pool.
///
/// Before: `ReduceMean(x)` over every axis from 2 on.
/// After: `GlobalAveragePool(x)`, reshaped where the axes are to go.
public struct CanonicalizePooling: Pass {
  public let name = "canonicalize-pooling"
  public let summary = "Writes means over all spatial axes as global average pools."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .reduce(let reduce) = node.op, reduce.kind == .mean, let x = node.input(0),
        let axes = graph.constant(node.input(1))?.integers, graph[x].type?.elementType == .float32
      else { continue }
      let rank = graph.dimensions(x).count
      // Pools have at most three spatial dimensions, and windows that are not too large.
      guard (3...5).contains(rank),
        Set(axes.map { Int($0) + ($0 < 0 ? rank : 0) }) == Set(2..<rank),
        case let extents = graph.dimensions(x).dropFirst(2).map({ $0.extent(batch: 1) }),
        WindowGeometry(kernel: extents).outputExtents(of: extents) != nil
      else { continue }
      let pool = Pool(
        kind: .average(countPadding: false),
        window: WindowGeometry(kernel: .init(repeating: 1, count: rank - 2)), isGlobal: true)
      var output = graph.add(.pool(pool), name: node.name, inputs: [x])
      if !reduce.keepDimensions, let channels = graph[x].type?.channels {
        output = graph.addReshape(output, to: [0, channels], name: node.name + ".flat")
      }
      graph.replaceUses(of: node.outputs[0], with: output)
      outcome.rewrote(node, "written as a global average pool")
    }
    return outcome
  }
}
