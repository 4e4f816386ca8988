import BNNGraph
import BNNTensor

/// Replaces the real weights of chosen layers by binary ones. Changes what the network computes.
///
/// Before: `Conv(x, W, b)`, W real. After: `Conv(x, Ŵ, b)` with Ŵ = ±α per output channel, or a
/// sum of such convolutions, which `binarize-weights` recognizes. With binarized inputs also x
/// becomes `Binarize(x − shift)` with a shift per channel, and b what makes the outputs' means
/// those of the real network.
///
/// Layers are fitted in their order: each to what it reads in the network in which the layers before
/// it are replaced already, and to what it gives in the real network.
public struct ApproximateWeights: LossyPass {
  public let name = "approximate-weights"
  public let summary = "Replaces real weights of chosen layers by binary ones (--binarize)."

  /// The first that matches a layer decides.
  public var choices: [BinarizationChoice]
  /// Whether the inputs of the layers become signs; only with calibration data.
  public var binarizesInputs: Bool
  /// The network's inputs by name, for each run; as many of them are used as memory allows. Without
  /// any, methods that look at what a layer reads do as if all its inputs were independent and of
  /// one size: `xnor` is then the best.
  public var calibration: [[String: Tensor]]
  /// Called before each layer, with a line for people who wait.
  public var progress: @Sendable (String) -> Void

  public init(
    choices: [BinarizationChoice], binarizesInputs: Bool = false,
    calibration: [[String: Tensor]] = [], progress: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.choices = choices
    self.binarizesInputs = binarizesInputs
    self.calibration = calibration
    self.progress = progress
  }

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let original = graph
    let chosen = selected(in: original, &outcome)
    let needsData =
      !calibration.isEmpty
      && (binarizesInputs || chosen.contains { $0.method.needsCalibration })
    var walk =
      needsData
      ? try CalibrationWalk(
        original, layers: Set(chosen.map(\.index)), runs: runsThatFit(original)) : nil
    let uses = original.uses()
    for (position, choice) in chosen.enumerated() {
      let node = original.nodes[choice.index]
      progress("binarizing '\(node.name)' (\(position + 1) of \(chosen.count))")
      guard let layer = RealLayer(node, in: original, uses) else { continue }
      try walk?.advance(to: choice.index)
      let result: (fit: LayerFit, levels: InputLevels?)
      do {
        result = try fit(layer, choice.method, walk)
      } catch {
        outcome.findings.append(.notBinarized(node: node.name, reason: error.text))
        continue
      }
      let old = graph.nodes.count
      // What the layer reads may have been replaced.
      let input = graph.nodes[choice.index].inputs[0] ?? layer.input
      let output = graph.replace(layer, reading: input, result.fit, result.levels?.binarize)
      try walk?.replace(
        with: graph.nodes[old...], of: graph, input: (input, for: layer.input),
        output: (output, for: node.outputs[0]))
      outcome.findings.append(
        .binarized(
          BinarizationFinding(
            node: node.layerName, method: choice.method, objective: result.fit.objective,
            before: result.fit.before, after: result.fit.after,
            binarizedInputs: result.levels != nil)))
      outcome.rewrote(node, "binarized by \(choice.method)")
    }
    return outcome
  }

  // MARK: Which layers

  /// The layers to replace, in order.
  private func selected(
    in graph: Graph, _ outcome: inout PassOutcome
  ) -> [(index: Int, method: BinarizationMethod)] {
    var chosen: [(index: Int, method: BinarizationMethod)] = []
    var candidates: [String] = []
    var matched: Set<Int> = []
    for (index, node) in graph.nodes.enumerated() {
      guard case .convolution = node.op, let weights = graph.constant(node.input(1)),
        weights.elementType.isFloatingPoint
      else { continue }
      let fitting = choices.indices.filter { choices[$0].layers.matches(node.layerName) }
      matched.formUnion(fitting)
      let reason = graph.reasonToKeep(node, weights)
      if reason == nil { candidates.append(node.layerName) }
      guard let first = fitting.first else { continue }
      if let reason {
        outcome.findings.append(.notBinarized(node: node.name, reason: reason))
      } else {
        chosen.append((index, choices[first].method))
      }
    }
    for (index, choice) in choices.enumerated() where !matched.contains(index) {
      outcome.findings.append(.unmatched(choice.layers, candidates: candidates))
    }
    return chosen
  }

  /// The first runs, so many that the largest of the graph's values in all of them takes at most
  /// 256 MiB; one in any case.
  private func runsThatFit(_ graph: Graph) -> [[String: Tensor]] {
    var elements = 0
    let fitting = calibration.prefix { run in
      let batch = graph.inputs.reduce(1) { batch, id in
        guard case .batch(let multiple)? = graph[id].type?.dimensions.first, multiple > 0 else {
          return batch
        }
        return max(batch, (run[graph[id].name]?.shape.dimensions.first ?? 0) / multiple)
      }
      let largest = graph.values.reduce(0) { largest, value in
        guard value.constant == nil, let type = value.type else { return largest }
        return max(largest, type.dimensions.shape(batch: batch).checkedCount ?? 0)
      }
      elements += largest
      return elements <= 1 << 26
    }
    return Array(fitting.isEmpty ? calibration.prefix(1) : fitting)
  }

  // MARK: One layer

  private func fit(
    _ layer: RealLayer, _ method: BinarizationMethod, _ walk: CalibrationWalk?
  ) throws(LayerFit.Refusal) -> (LayerFit, InputLevels?) {
    var problem = LayerProblem(
      method: method, weights: layer.weights.floats, outputs: layer.weights.shape[0],
      groups: layer.geometry.groups)
    let becomesSign = binarizesInputs && !layer.readsSigns
    guard let walk, becomesSign || method.needsCalibration else { return (problem.fit(), nil) }
    var inputs = walk.values(layer.input)
    var levels: InputLevels?
    if becomesSign {
      guard let found = InputLevels(of: inputs) else {
        throw .init(text: "on the calibration data it reads numbers that are not finite")
      }
      problem.weights = found.weights(layer.weights, groups: layer.geometry.groups)
      inputs = inputs.map { (try? found.binarize.evaluate([$0]).first) ?? $0 }
      levels = found
    }
    let sample = LayerSample(
      layer.geometry, inputs: inputs, targets: walk.realValues(layer.node.outputs[0]),
      bias: layer.bias, each: problem.weights.count / problem.outputs)
    let taps = layer.geometry.window.kernel.reduce(1, *)
    // With padding of ±1 no tap is 0; with zeros whole taps are.
    let fit = try problem.fit(
      to: sample, signTaps: becomesSign || layer.readsSigns ? taps : nil, refits: becomesSign)
    return (fit, levels)
  }
}

/// A convolution with real weights that are constant.
struct RealLayer {
  let node: Node
  let geometry: ConvolutionGeometry
  let input: ValueID
  let weights: Tensor
  /// One number per output, or none.
  let bias: [Float]
  /// Whether its inputs are ±1.
  let readsSigns: Bool

  init?(_ node: Node, in graph: Graph, _ uses: Uses) {
    guard case .convolution(let convolution) = node.op, let input = node.input(0),
      let weights = graph.constant(node.input(1))
    else { return nil }
    (self.node, geometry, self.input, self.weights) = (node, convolution.geometry, input, weights)
    bias = graph.constant(node.input(2))?.floats ?? []
    readsSigns = graph.isSign(input, uses)
  }
}

extension Graph {
  /// Why the weights of a convolution are not replaced; nil where they can be.
  fileprivate func reasonToKeep(_ node: Node, _ weights: Tensor) -> String? {
    if weights.count == 0 { return "it has no weights" }
    if !weights.floats.allSatisfy(\.isFinite) { return "it has weights that are not finite" }
    if BinaryWeights(of: weights) != nil { return "its weights are binary already" }
    if node.input(2) != nil, constant(node.input(2)) == nil {
      return "its bias is computed from the input"
    }
    return nil
  }

  /// Adds what stands for a layer, and makes the layer's users read it.
  ///
  /// - Returns: the value that does.
  fileprivate mutating func replace(
    _ layer: RealLayer, reading input: ValueID, _ fit: LayerFit, _ binarize: Binarize?
  ) -> ValueID {
    let (node, shape) = (layer.node, layer.weights.shape)
    let weightName = node.input(1).map { self[$0].name } ?? node.name
    let x = binarize.map { add(.binarize($0), name: node.name + ".sign", inputs: [input]) } ?? input
    var bias = node.input(2)
    if !fit.bias.isEmpty {
      let old = layer.bias.isEmpty ? fit.bias.map { _ in 0 } : layer.bias
      bias = addConstant(
        Tensor(zip(old, fit.bias).map { $0 + $1 }, shape: [fit.bias.count]),
        name: node.name + ".bias")
    }
    var output = x
    for (index, base) in fit.approximation.bases.enumerated() {
      let label = index == 0 ? "" : ".base\(index + 1)"
      let weights = addConstant(Tensor(base, shape: shape), name: weightName + label)
      let product = add(
        node.op, name: node.name + label, inputs: [x, weights, index == 0 ? bias : nil])
      output = index == 0 ? product : sum(output, product, name: "\(node.name)\(label).sum")
    }
    if fit.approximation.offset != 0 {
      let domain = windowSum(layer, reading: x, times: fit.approximation.offset)
      output = sum(output, domain, name: node.name + ".domain")
    }
    replaceUses(of: node.outputs[0], with: output)
    return output
  }

  private mutating func sum(_ a: ValueID, _ b: ValueID, name: String) -> ValueID {
    add(.elementwiseBinary(ElementwiseBinary(kind: .add)), name: name, inputs: [a, b])
  }

  /// The sum of the input under the window times a number: once per group, for all its outputs.
  private mutating func windowSum(
    _ layer: RealLayer, reading x: ValueID, times factor: Float
  ) -> ValueID {
    let (groups, outputs) = (layer.geometry.groups, layer.weights.shape[0])
    let shape = Shape([groups] + layer.weights.shape.dimensions.dropFirst())
    let weights = addConstant(
      Tensor([Float](repeating: factor, count: shape.count), shape: shape),
      name: layer.node.name + ".sum.weight")
    let sum = add(layer.node.op, name: layer.node.name + ".sum", inputs: [x, weights])
    guard groups > 1, groups < outputs else { return sum }
    let indices = (0..<outputs).map { Int64($0 / (outputs / groups)) }
    let table = addConstant(
      Tensor(indices, shape: [outputs]), name: layer.node.name + ".sum.channels")
    return add(
      .gather(Gather(axis: 1)), name: layer.node.name + ".sum.gather", inputs: [sum, table])
  }
}
