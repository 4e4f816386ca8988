import BNNGraph
import BNNTensor

/// Folds batch normalization, and whatever else stands between an accumulator and a sign, into
/// the thresholds of the sign.
///
/// Before: `Binarize(f(x))`, where f is computed element by element and differs at most between
/// channels (scale, bias, batch normalization, PReLU, clip, tanh …), and nothing else uses what f
/// computes on the way.
/// After: `Binarize'(x)`.
///
/// If x holds the accumulators of a binary convolution (also after a max pool), the thresholds are
/// exact for every reachable integer −K…K. Otherwise they are exact for every float32, NaN and
/// infinities included, and only a monotone f is folded. γ < 0, γ = 0 and PReLUs with negative
/// slopes need no case of their own: f is evaluated, see ``ThresholdSearch``.
public struct FoldThresholds: Pass {
  public let name = "fold-thresholds"
  public let summary = "Folds batch normalization and activations before a sign into thresholds."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .binarize(let binarize) = node.op, let input = node.input(0) else { continue }
      let consumers = uses.consumers(of: input).filter { $0 != index }
      guard consumers.isEmpty, !graph.outputs.contains(input),
        let cone = ElementwiseCone.all(endingIn: input, of: graph, uses).last
      else { continue }
      let search = ThresholdSearch(cone: cone, thresholds: binarize.thresholds, graph: graph)
      let bound = graph.accumulatorBound(of: cone.source, uses)
      let found =
        if let bound { try search.onIntegers(bound: bound) } else { try search.onFloats() }
      guard let found else { continue }
      if binarize.zeroIsChosen, let bound {
        let zeros = try reachableZeros(cone, found, bound: bound, in: graph)
        if zeros > 0 {
          outcome.findings.append(.reachableZeros(node: node.name, channels: zeros))
        }
      }
      let output = graph.add(
        .binarize(Binarize(thresholds: found.collapsed, zeroIsChosen: binarize.zeroIsChosen)),
        name: node.name, inputs: [cone.source])
      graph.replaceUses(of: node.outputs[0], with: output)
      let folded = cone.nodes.map { graph.nodes[$0].op.definition.name }
      outcome.rewrote(node, "folded \(folded.joined(separator: ", ")) into thresholds")
    }
    return outcome
  }

  /// The number of channels in which the cone is exactly 0 at a reachable integer next to the
  /// threshold, where alone that can be in a monotone chain.
  private func reachableZeros(
    _ cone: ElementwiseCone, _ thresholds: Thresholds<Float>, bound: Int, in graph: Graph
  ) throws(GraphError) -> Int {
    let edges = (0..<cone.channels).map { channel in
      let c = thresholds.count == 1 ? 0 : channel
      let edge = thresholds.lower[c].isFinite ? thresholds.lower[c] : thresholds.upper[c]
      return edge.isFinite ? edge : 0
    }
    let rows = [Float(-1), 0, 1].map { offset in
      edges.map { min(max($0 + offset, Float(-bound)), Float(bound)) }
    }
    let values = try cone.evaluate(rows, in: graph)
    return (0..<cone.channels).count { c in values.contains { $0[c] == 0 } }
  }
}

extension Graph {
  /// The largest magnitude of the integers that a value holds, when it holds the accumulators of
  /// a binary convolution, perhaps pooled.
  func accumulatorBound(of value: ValueID, _ uses: Uses) -> Int? {
    guard let index = uses.producer(of: value) else { return nil }
    switch nodes[index].op {
    case .binaryConvolution:
      guard let shape = constant(nodes[index].input(1))?.shape else { return nil }
      return shape.dimensions.dropFirst().reduce(1, *)
    case .pool(let pool) where pool.kind == .maximum:
      return nodes[index].input(0).flatMap { accumulatorBound(of: $0, uses) }
    default: return nil
    }
  }
}
