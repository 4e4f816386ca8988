import BNNGraph
import BNNTensor

/// Recognizes a split into convolutions that are concatenated again as one grouped convolution.
///
/// Before: `Concat(Conv₁(x₁), Conv₂(x₂), …)` along the channels, where x₁, x₂, … are the outputs of
/// one equal `Split` of x along the channels (or equal `Slice`s), in order, perhaps each behind the
/// same sign; the convolutions have the same geometry, the same number of outputs, constant
/// weights, and no other user.
/// After: `Conv(x)` with the groups of all.
public struct MergeSplitConvolutions: Pass {
  public let name = "merge-split-convolutions"
  public let summary = "Recognizes split, convolutions, concatenation as one grouped convolution."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .concat(let concat) = node.op, node.inputs.count >= 2,
        let output = graph[node.outputs[0]].type, output.rank >= 2,
        concat.axis == 1 || concat.axis == 1 - output.rank,
        let branches = branches(of: node, in: graph, uses), let first = branches.first,
        let source = commonSource(of: branches.map(\.input), in: graph, uses)
      else { continue }
      let geometry = first.geometry
      let shape = first.weights.shape
      guard branches.allSatisfy({ $0.geometry == geometry && $0.weights.shape == shape }),
        branches.allSatisfy({ ($0.bias == nil) == (first.bias == nil) })
      else { continue }
      var merged = geometry
      merged.groups *= branches.count
      let outputs = shape[0] * branches.count
      let joined = Tensor(
        branches.flatMap(\.weights.floats), shape: Shape([outputs] + shape.dimensions.dropFirst()))
      // Few weights of two values are recognized by all the layer's being these two.
      guard
        BinaryWeights(of: joined) != nil
          || !branches.allSatisfy({ BinaryWeights(of: $0.weights) != nil })
      else { continue }
      let weights = graph.addConstant(joined, name: node.name + ".weight")
      var bias: ValueID?
      if first.bias != nil {
        bias = graph.addConstant(
          Tensor(branches.flatMap { $0.bias?.floats ?? [] }, shape: [outputs]),
          name: node.name + ".bias")
      }
      var input = source
      if let sign = first.sign {
        input = graph.add(.binarize(sign), name: first.name + ".sign", inputs: [source])
      }
      let result = graph.add(
        .convolution(Convolution(geometry: merged)), name: first.name,
        inputs: [input, weights, bias])
      graph.replaceUses(of: node.outputs[0], with: result)
      outcome.rewrote(node, "merged \(branches.count) convolutions into \(merged.groups) groups")
    }
    return outcome
  }

  private struct Branch {
    var name: String
    var geometry: ConvolutionGeometry
    var weights: Tensor
    var bias: Tensor?
    /// A sign between the split and the convolution.
    var sign: Binarize?
    var input: ValueID
  }

  private func branches(of concat: Node, in graph: Graph, _ uses: Uses) -> [Branch]? {
    var branches: [Branch] = []
    for value in concat.inputs {
      guard let value, uses.isUsedOnce(value), let index = uses.producer(of: value),
        case .convolution(let convolution) = graph.nodes[index].op,
        let weights = graph.constant(graph.nodes[index].input(1)),
        weights.elementType.isFloatingPoint, var input = graph.nodes[index].input(0)
      else { return nil }
      let biasValue = graph.nodes[index].input(2)
      guard (biasValue == nil) == (graph.constant(biasValue) == nil) else { return nil }
      var sign: Binarize?
      if let signIndex = uses.producer(of: input),
        case .binarize(let binarize) = graph.nodes[signIndex].op, binarize.thresholds.count == 1,
        let inner = graph.nodes[signIndex].input(0), !graph.isWhole(input, of: concat, uses)
      {
        sign = binarize
        input = inner
      }
      branches.append(
        Branch(
          name: graph.nodes[index].name, geometry: convolution.geometry, weights: weights,
          bias: graph.constant(biasValue), sign: sign, input: input))
    }
    return branches.allSatisfy { $0.sign == branches[0].sign } ? branches : nil
  }

  /// The value whose equal parts, in order, the inputs are.
  private func commonSource(of inputs: [ValueID], in graph: Graph, _ uses: Uses) -> ValueID? {
    guard let first = uses.producer(of: inputs[0]), let source = graph.nodes[first].input(0),
      let channels = graph[source].type?.channels, channels % inputs.count == 0
    else { return nil }
    let part = channels / inputs.count
    for (position, input) in inputs.enumerated() {
      guard graph[input].type?.channels == part, let index = uses.producer(of: input) else {
        return nil
      }
      let node = graph.nodes[index]
      switch node.op {
      case .split(let split):
        let rank = graph.dimensions(source).count
        guard index == first, split.axis == 1 || split.axis == 1 - rank,
          node.outputs.count == inputs.count, node.outputs[position] == input
        else { return nil }
      case .slice:
        guard node.input(0) == source, let slice = graph.slice(node), slice.axis == 1,
          slice.range == position * part..<(position + 1) * part
        else { return nil }
      default: return nil
      }
    }
    return source
  }
}

extension Graph {
  /// Whether a value is read by more than the branch at hand, so that it is no part of a split.
  fileprivate func isWhole(_ value: ValueID, of concat: Node, _ uses: Uses) -> Bool {
    guard let index = uses.producer(of: value), let inner = nodes[index].input(0),
      let split = uses.producer(of: inner)
    else { return true }
    switch nodes[split].op {
    case .split, .slice: return false
    default: return true
    }
  }
}
