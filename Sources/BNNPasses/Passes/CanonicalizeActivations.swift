import BNNGraph
import BNNTensor

/// Recognizes activations with two slopes per channel (FTBNN's FPReLU) however they are spelled.
///
/// Before: `Where(x > 0, p·x, n·x)`, `p·Relu(x) − n·Relu(−x)`, `p·PRelu(x, n/p)`, the same with
/// `Max`, `Min` or `Clip` … : anything computed element by element from one x, read more than once
/// on the way or scaled behind a PRelu, that is p·x for x > 0 and n·x for x < 0.
/// After: one pointwise block with the two slopes.
///
/// The slopes are read off at ±1 and checked at numbers of many magnitudes.
public struct CanonicalizeActivations: Pass {
  public let name = "canonicalize-activations"
  public let summary = "Recognizes activations with two slopes per channel."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    var changed = true
    while changed {
      changed = false
      let uses = graph.uses()
      // From the end, so that the widest form is tried first.
      for index in graph.nodes.indices.reversed() {
        let node = graph.nodes[index]
        switch node.op {
        case .select, .elementwiseBinary: break
        default: continue
        }
        guard let (cone, slopes) = try twoSlopes(endingIn: node.outputs[0], of: graph, uses) else {
          continue
        }
        let step = PointwiseStep.slopes(
          positive: slopes.positive, negative: slopes.negative
        ).balanced
        let output = graph.add(
          .block(Block(core: .pointwise, epilogue: Epilogue(steps: [step]))), name: node.name,
          inputs: [cone.source])
        graph.replaceUses(of: node.outputs[0], with: output)
        outcome.rewrote(node, "recognized an activation with two slopes")
        changed = true
        break
      }
      guard changed else { break }
      try graph.removeDeadNodes()
      try graph.inferTypes()
    }
    return outcome
  }

  /// The shallowest cone that is such an activation, and its slopes.
  private func twoSlopes(
    endingIn result: ValueID, of graph: Graph, _ uses: Uses
  ) throws(GraphError) -> (ElementwiseCone, Slopes)? {
    for cone in ElementwiseCone.all(endingIn: result, of: graph, uses)
    where cone.nodes.contains(where: { graph.nodes[$0].hasKink }) {
      if let slopes = try slopes(of: cone, in: graph) { return (cone, slopes) }
    }
    return nil
  }

  private struct Slopes {
    var positive: [Float]
    var negative: [Float]
  }

  private func slopes(
    of cone: ElementwiseCone, in graph: Graph
  ) throws(GraphError) -> Slopes? {
    let probes: [Float] = [1, -1, 0] + [0.37, 1e-3, 5.5, 811.25, 3e6].flatMap { [$0, -$0] }
    let rows = try cone.evaluate(
      probes.map { .init(repeating: $0, count: cone.channels) }, in: graph)
    let positive = rows[0]
    let negative = rows[1].map { -$0 }
    for (x, row) in zip(probes, rows) {
      for c in 0..<cone.channels {
        let expected = x * (x < 0 ? negative[c] : positive[c])
        guard abs(row[c] - expected) <= 1e-6 * abs(expected) else { return nil }
      }
    }
    // With a slope of 0 everywhere it is a clamp, which also differs at infinity.
    guard positive.contains(where: { $0 != 0 }), negative.contains(where: { $0 != 0 }) else {
      return nil
    }
    return Slopes(positive: positive, negative: negative)
  }
}

extension Node {
  /// Whether the operator treats numbers on the two sides of a number differently.
  fileprivate var hasKink: Bool {
    switch op {
    case .select, .pRelu, .clip: true
    case .elementwiseUnary(let unary): unary.function == .relu
    case .elementwiseBinary(let binary): binary.kind == .maximum || binary.kind == .minimum
    default: false
    }
  }
}

extension [Float] {
  /// One entry when all are the same.
  var collapsed: [Float] {
    count > 1 && allSatisfy({ $0.bitPattern == self[0].bitPattern }) ? [self[0]] : self
  }
}
