import BNNGraph
import BNNTensor

/// Factors the scales out of weights that are ±α per output channel.
///
/// Before: `Conv(x, w, b)`, |w| equal to α_o in all of output channel o up to 1e-4 relative.
/// After: `Conv(x, sign w) · α + b`.
///
/// α is the channel's common magnitude, or the mean where the magnitudes differ by the residue
/// that the arithmetic of straight-through estimators leaves; removing that residue is reported.
///
/// If x is a sign, two further forms are products of signs too:
///
/// - Weights of any two values, w = τ·s + φ (SBNN): `Conv(x, s) · τ + Conv(x, 1) · φ`. The
///   second, the sum of x under the window, has one output per group.
/// - Weights of ±α and single zeros: half the sum of two products, with +1 and with −1 in the
///   zeros' place, is exact. The second product has the channels with zeros only.
///
/// The pass says of every convolution and matrix product that stays real-valued why it does.
public struct BinarizeWeights: Pass {
  public let name = "binarize-weights"
  public let summary = "Factors scales out of weights that are ±α per output channel."

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      switch node.op {
      case .convolution: try binarize(index, in: &graph, uses, &outcome)
      case .gemm, .matMul, .transposedConvolution:
        outcome.findings.append(
          .keptFloat(node: node.name, reason: graph.reasonForProduct(node, uses)))
      default: continue
      }
    }
    return outcome
  }

  private func binarize(
    _ index: Int, in graph: inout Graph, _ uses: Uses, _ outcome: inout PassOutcome
  ) throws(GraphError) {
    let node = graph.nodes[index]
    guard case .convolution(let convolution) = node.op, let input = node.input(0) else { return }
    let isBinaryInput = graph.isSign(input, uses)
    func keep(_ reason: String?) {
      let inputReason =
        isBinaryInput ? nil : "its input is not a sign: it is \(graph.origin(of: input, uses))"
      let reasons = [inputReason, reason].compactMap { $0 }
      guard !reasons.isEmpty else { return }
      outcome.findings.append(
        .keptFloat(node: node.name, reason: reasons.joined(separator: "; ")))
    }
    guard let weights = graph.constant(node.input(1)), weights.elementType.isFloatingPoint else {
      return keep("its weights are computed from the input")
    }
    let found: BinaryWeights
    do {
      found = try BinaryWeights(reading: weights)
    } catch {
      return keep(error.text)
    }
    guard isBinaryInput || found.isPlain else {
      return keep(
        found.zeros.isEmpty ? "its weights have two values that are not ±α" : "some weights are 0")
    }
    keep(nil)
    if found.residue > 0 {
      outcome.findings.append(.removedResidue(node: node.name, relative: found.residue))
    }
    if isBinaryInput, let codebook = Codebook(of: found.signs) {
      outcome.findings.append(
        .codebook(node: node.name, kernels: codebook.kernels, of: codebook.count))
    }
    var rewriter = Rewriter(node: node, convolution: convolution, weights: found)
    let output = rewriter.output(in: &graph)
    graph.replaceUses(of: node.outputs[0], with: output)
    if let old = node.input(1) { graph.exchange(old, with: rewriter.signs, in: index, uses) }
    outcome.rewrote(node, found.form)
  }
}

/// Adds the nodes that stand for one convolution.
private struct Rewriter {
  let node: Node
  let convolution: Convolution
  let weights: BinaryWeights
  /// The constant of ±1.
  private(set) var signs = ValueID(index: 0)

  init(node: Node, convolution: Convolution, weights: BinaryWeights) {
    (self.node, self.convolution, self.weights) = (node, convolution, weights)
  }

  private var ones: [Int] { convolution.geometry.window.kernel.map { _ in 1 } }

  mutating func output(in graph: inout Graph) -> ValueID {
    let name = node.input(1).map { graph[$0].name } ?? node.name
    signs = graph.addConstant(weights.signs, name: name)
    var output = product(with: signs, name: node.name, in: &graph)
    var scales = weights.scales
    if !weights.zeros.isEmpty {
      output = withZeros(output, in: &graph)
      scales = scales.map { $0 / 2 }
    }
    if scales.contains(where: { $0 != 1 }) {
      output = combine(output, .multiply, scales, label: "scale", in: &graph)
    }
    if weights.offsets.contains(where: { $0 != 0 }) {
      output = graph.add(
        .elementwiseBinary(ElementwiseBinary(kind: .add)), name: node.name + ".domain",
        inputs: [output, positionSum(in: &graph)])
    }
    if let bias = graph.constant(node.input(2)) {
      output = combine(output, .add, bias.floats, label: "bias", in: &graph)
    } else if let bias = node.input(2) {
      output = graph.add(
        .elementwiseBinary(ElementwiseBinary(kind: .add)), name: node.name + ".bias",
        inputs: [output, bias])
    }
    return output
  }

  private func product(with weights: ValueID, name: String, in graph: inout Graph) -> ValueID {
    graph.add(node.op, name: name, inputs: [node.input(0), weights])
  }

  /// Combines with one number per output channel.
  private func combine(
    _ value: ValueID, _ kind: ElementwiseBinary.Kind, _ numbers: [Float], label: String,
    in graph: inout Graph
  ) -> ValueID {
    let same = numbers.collapsed
    let constant = graph.addConstant(
      Tensor(same, shape: same.count == 1 ? [] : Shape([same.count] + ones)),
      name: "\(node.name).\(label)")
    return graph.add(
      .elementwiseBinary(ElementwiseBinary(kind: kind)), name: "\(node.name).\(label)",
      inputs: [value, constant])
  }

  /// Twice the product with weights of which some are 0.
  ///
  /// - Parameter product: that with +1 in the zeros' place.
  private func withZeros(_ product: ValueID, in graph: inout Graph) -> ValueID {
    let channels = weights.scales.count
    let each = weights.signs.count / channels
    var elements = weights.signs.floats
    for index in weights.zeros { elements[index] = -1 }
    var selected = weights.channelsWithZeros
    // With groups every group keeps as many outputs as the others: all.
    if convolution.geometry.groups > 1 { selected = Array(0..<channels) }
    let rows = selected.flatMap { elements[$0 * each..<($0 + 1) * each] }
    let others = graph.addConstant(
      Tensor(rows, shape: Shape([selected.count] + weights.signs.shape.dimensions.dropFirst())),
      name: node.name + ".zeros.weight")
    var second = self.product(with: others, name: node.name + ".zeros", in: &graph)
    if selected.count < channels {
      let joined = graph.add(
        .concat(Concat(axis: 1)), name: node.name + ".zeros.join", inputs: [product, second])
      var partners = Array(0..<Int64(channels))
      for (position, channel) in selected.enumerated() {
        partners[channel] = Int64(channels + position)
      }
      let indices = graph.addConstant(
        Tensor(partners, shape: [channels]), name: node.name + ".zeros.channels")
      second = graph.add(
        .gather(Gather(axis: 1)), name: node.name + ".zeros.gather", inputs: [joined, indices])
    }
    return graph.add(
      .elementwiseBinary(ElementwiseBinary(kind: .add)), name: node.name + ".zeros.sum",
      inputs: [product, second])
  }

  /// The sum of the input under the window, times the offsets.
  private func positionSum(in graph: inout Graph) -> ValueID {
    let groups = convolution.geometry.groups
    let shape = Shape([groups] + weights.signs.shape.dimensions.dropFirst())
    let ones = graph.addConstant(
      Tensor([Float](repeating: 1, count: shape.count), shape: shape),
      name: node.name + ".sum.weight")
    var sum = product(with: ones, name: node.name + ".sum", in: &graph)
    let outputs = weights.scales.count
    // One channel per number that it is multiplied with.
    if groups < outputs, groups > 1 || weights.offsets.collapsed.count > 1 {
      let indices = (0..<outputs).map { Int64($0 / (outputs / groups)) }
      let table = graph.addConstant(
        Tensor(indices, shape: [outputs]), name: node.name + ".sum.channels")
      sum = graph.add(
        .gather(Gather(axis: 1)), name: node.name + ".sum.gather", inputs: [sum, table])
    }
    return combine(sum, .multiply, weights.offsets, label: "offset", in: &graph)
  }
}

extension BinaryWeights {
  /// The form in words.
  fileprivate var form: String {
    if !zeros.isEmpty { return "±α weights, \(zeros.count) of them 0" }
    if !isPlain { return "weights of two values" }
    return scales.allSatisfy { $0 == 1 } ? "±1 weights" : "±α weights"
  }
}

/// Kernels of 3 × 3 weights that repeat (SNN, Sparks).
private struct Codebook {
  /// How many different ones there are, and of how many.
  var kernels: Int
  var count: Int

  /// nil where kernels are not chosen from few.
  init?(of signs: Tensor) {
    let taps = signs.shape.dimensions.dropFirst(2).reduce(1, *)
    guard signs.shape.rank == 4, taps == 9 else { return nil }
    var occurs = [Bool](repeating: false, count: 1 << taps)
    signs.floats.withUnsafeBufferPointer { floats in
      for start in stride(from: 0, to: floats.count, by: taps) {
        var code = 0
        for tap in start..<start + taps { code = code << 1 | (floats[tap] > 0 ? 1 : 0) }
        occurs[code] = true
      }
    }
    (kernels, count) = (occurs.count { $0 }, signs.count / taps)
    guard kernels <= 256, kernels * 4 <= count else { return nil }
  }
}

extension Graph {
  /// Why a product that is no convolution is none.
  fileprivate func reasonForProduct(_ node: Node, _ uses: Uses) -> String {
    if case .transposedConvolution = node.op {
      return "transposed convolutions have no binary form"
    }
    guard node.inputs.prefix(2).contains(where: { constant($0) != nil }) else {
      return "both its operands are computed from the input"
    }
    return "its operands are not a value and a matrix of weights"
  }
}
