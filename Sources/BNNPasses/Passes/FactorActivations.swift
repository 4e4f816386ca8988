import BNNGraph
import BNNTensor

/// Writes products with activations of few values as sums of products with signs.
///
/// Before: `Conv(x, w)`, w ±α or of two values, and x = c + Σ mᵢ·sᵢ with signs sᵢ: {0, 1}
/// activations, scaled signs, sums of signs, or a quantizer with up to four levels.
/// After: `Σ mᵢ·Conv(sᵢ, w) + c·Σw`.
///
/// A sign of a quantizer's result becomes a sign of the quantizer's operand, where the signs of the
/// quantizer's levels are too. The maximum of what has more than two levels becomes the quantizer of the
/// maximum, because of several signs there is none.
///
/// Zero padding of x pads sᵢ with the signs that make x zero: {0, 1} activations are padded with
/// −1. Where no signs do, the convolution is left alone. See ``SignCombination``.
public struct FactorActivations: Pass {
  public let name = "factor-activations"
  public let summary = "Writes products with activations of few values as products with signs."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    try movePools(in: &graph, &outcome)
    try moveSigns(in: &graph, &outcome)
    var factoring = SignFactoring(graph.uses())
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .convolution(let convolution) = node.op, let x = node.input(0),
        let weights = graph.constant(node.input(1)), weights.elementType == .float32,
        node.input(2) == nil || graph.constant(node.input(2)) != nil,
        !graph.isSign(x, factoring.uses),
        let combination = try factoring.combination(of: x, in: &graph),
        let paddings = combination.paddings(for: convolution.geometry),
        BinaryWeights(of: weights) != nil
      else { continue }
      let output = expand(node, convolution, combination, paddings, weights, in: &graph)
      graph.replaceUses(of: node.outputs[0], with: output)
      outcome.rewrote(node, "factored into \(combination.terms.count) products with signs")
    }
    outcome.findings = factoring.findings
    return outcome
  }

  /// Lets quantizers that rise with their operand follow a maximum.
  private func movePools(
    in graph: inout Graph, _ outcome: inout PassOutcome
  ) throws(GraphError) {
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .pool(let pool) = node.op, pool.kind == .maximum, let x = node.input(0),
        let quantizer = try Quantizer(endingIn: x, of: graph, uses), quantizer.isRising,
        quantizer.levels.count > 2, let result = copy(quantizer.cone, behind: node, in: &graph)
      else { continue }
      graph.replaceUses(of: node.outputs[0], with: result)
      outcome.rewrote(node, "moved before a quantizer")
    }
    try graph.removeDeadNodes()
    try graph.inferTypes()
  }

  /// A pool of what a cone reads, and the cone behind it; nil if a constant of the cone has the map's
  /// size.
  private func copy(
    _ cone: ElementwiseCone, behind pool: Node, in graph: inout Graph
  ) -> ValueID? {
    let constants = cone.nodes.flatMap { graph.nodes[$0].inputs }.compactMap(graph.constant)
    guard constants.allSatisfy({ $0.count <= cone.channels }) else { return nil }
    let pooled = graph.add(pool.op, name: pool.name, inputs: [cone.source])
    graph[pooled].type = graph[pool.outputs[0]].type
    var copies = [cone.source: pooled]
    for index in cone.nodes {
      let node = graph.nodes[index]
      let inputs = node.inputs.map { input in input.map { copies[$0] ?? $0 } }
      copies[node.outputs[0]] = graph.add(node.op, name: node.name, inputs: inputs)
    }
    return copies[cone.result]
  }

  /// Lets signs of a quantizer's result test the quantizer's operand.
  private func moveSigns(
    in graph: inout Graph, _ outcome: inout PassOutcome
  ) throws(GraphError) {
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard case .binarize(let binarize) = node.op, let x = node.input(0),
        let quantizer = try Quantizer(endingIn: x, of: graph, uses),
        let thresholds = try ThresholdSearch(
          cone: quantizer.cone, thresholds: binarize.thresholds, graph: graph
        ).onFloats()
      else { continue }
      let output = graph.add(
        .binarize(Binarize(thresholds: thresholds.collapsed, zeroIsChosen: binarize.zeroIsChosen)),
        name: node.name, inputs: [quantizer.cone.source])
      graph.replaceUses(of: node.outputs[0], with: output)
      outcome.rewrote(node, "moved before a quantizer")
    }
    try graph.removeDeadNodes()
    try graph.inferTypes()
  }

  private func expand(
    _ node: Node, _ convolution: Convolution, _ combination: SignCombination,
    _ paddings: [ConvolutionGeometry.PaddingValue], _ weights: Tensor, in graph: inout Graph
  ) -> ValueID {
    let type = graph[node.outputs[0]].type
    func add(_ op: Op, _ inputs: [ValueID?], _ name: String, in graph: inout Graph) -> ValueID {
      let value = graph.add(op, name: name, inputs: inputs)
      // The cones of later convolutions may begin here.
      graph[value].type = type
      return value
    }
    let sum = Op.elementwiseBinary(ElementwiseBinary(kind: .add))
    var result: ValueID?
    for (position, term) in combination.terms.enumerated() {
      let name = combination.terms.count == 1 ? node.name : "\(node.name).\(position)"
      var geometry = convolution.geometry
      geometry.padding = paddings[position]
      var product = add(
        .convolution(Convolution(geometry: geometry)), [term.signs, node.input(1)], name,
        in: &graph)
      if term.scale != 1 {
        product = graph.combine(product, .multiply, term.scale, name: name + ".scale")
      }
      result = result.map { add(sum, [$0, product], name + ".sum", in: &graph) } ?? product
    }
    let bias = graph.constant(node.input(2))?.floats
    let shift = weights.sumsByOutput.enumerated().map { output, sum in
      Float(Double(combination.offset) * sum + Double(bias?[output] ?? 0))
    }
    guard let result, shift.contains(where: { $0 != 0 }) else {
      return result ?? node.outputs[0]
    }
    let ones = convolution.geometry.window.kernel.map { _ in 1 }
    let constant = graph.addConstant(
      Tensor(shift, shape: Shape([shift.count] + ones)), name: node.name + ".shift")
    return add(sum, [result, constant], node.name + ".shift", in: &graph)
  }
}

extension SignCombination {
  /// What each term's signs are padded with where a convolution pads with 0; nil when the
  /// combination is never 0.
  fileprivate func paddings(
    for geometry: ConvolutionGeometry
  ) -> [ConvolutionGeometry.PaddingValue]? {
    guard geometry.window.hasPadding, offset != 0 else { return terms.map { _ in .zero } }
    return signs(summingTo: 0)?.map { $0 > 0 ? .plusOne : .minusOne }
  }
}

extension Tensor {
  /// For weights [O, …], the sum of the weights of each output.
  fileprivate var sumsByOutput: [Double] {
    let floats = self.floats
    let outputs = shape.dimensions.first ?? 0
    guard outputs > 0 else { return [] }
    let each = floats.count / outputs
    return (0..<outputs).map { output in
      floats[output * each..<(output + 1) * each].reduce(0.0) { $0 + Double($1) }
    }
  }
}
