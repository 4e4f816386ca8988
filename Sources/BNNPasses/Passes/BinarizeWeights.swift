import BNNGraph
import BNNTensor

/// Factors the scales out of weights that are ±α per output channel.
///
/// Before: `Conv(x, w, b)`, |w| equal to α_o in all of output channel o up to 1e-4 relative.
/// After: `Conv(x, sign w) · α + b`.
///
/// α is the channel's common magnitude, or the mean where the magnitudes differ by the residue
/// that the arithmetic of straight-through estimators leaves; removing that residue is reported.
/// A channel of zeros has α = 0. Single zeros make a channel three-valued, which no bit holds; such
/// a layer stays real-valued. The pass says of every convolution and matrix product that stays so
/// why it does.
public struct BinarizeWeights: Pass {
  public let name = "binarize-weights"
  public let summary = "Factors scales out of weights that are ±α per output channel."

  /// How far magnitudes of one channel may be apart, relative to their mean.
  static let residue: Float = 1e-4

  public init() {}

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let uses = graph.uses()
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard let input = node.input(0) else { continue }
      switch node.op {
      case .convolution: break
      case .gemm, .matMul, .transposedConvolution:
        outcome.findings.append(
          .keptFloat(
            node: node.name,
            reason:
              "it is a \(node.op.definition.name) that has no binary form here: its weights are computed, or its operands are not matrices"
          ))
        continue
      default: continue
      }
      let isBinaryInput = graph.isSign(input, uses)
      let inputReason = "its input is not a sign: it is \(graph.origin(of: input, uses))"
      guard let value = node.input(1), let weights = graph.constant(value),
        weights.elementType.isFloatingPoint
      else {
        outcome.findings.append(
          .keptFloat(node: node.name, reason: "its weights are computed from the input"))
        continue
      }
      switch ScaledSigns.find(in: weights) {
      case .failure(let reason):
        let both = isBinaryInput ? reason.text : inputReason + "; " + reason.text
        outcome.findings.append(.keptFloat(node: node.name, reason: both))
      case .success(let found):
        if !isBinaryInput {
          outcome.findings.append(.keptFloat(node: node.name, reason: inputReason))
        }
        if found.residue > 0 {
          outcome.findings.append(.removedResidue(node: node.name, relative: found.residue))
        }
        rewrite(index, found, in: &graph, uses)
        outcome.rewrote(node, found.scales.allSatisfy { $0 == 1 } ? "±1 weights" : "±α weights")
      }
    }
    return outcome
  }

  private func rewrite(
    _ index: Int, _ found: ScaledSigns, in graph: inout Graph, _ uses: Uses
  ) {
    let node = graph.nodes[index]
    guard case .convolution(let convolution) = node.op, let weights = node.input(1) else { return }
    let name = graph[weights].name
    let signs = graph.addConstant(found.signs, name: name)
    let ones = convolution.geometry.window.kernel.map { _ in 1 }
    let shape = Shape([found.scales.count] + ones)
    var output = graph.add(node.op, name: node.name, inputs: [node.input(0), signs])
    if found.scales.contains(where: { $0 != 1 }) {
      let scale = graph.addConstant(Tensor(found.scales, shape: shape), name: name + ".scale")
      output = graph.add(
        .elementwiseBinary(ElementwiseBinary(kind: .multiply)), name: node.name + ".scale",
        inputs: [output, scale])
    }
    if let bias = graph.constant(node.input(2)) {
      let shaped = graph.addConstant(
        Tensor(bias.floats, shape: shape), name: node.name + ".bias")
      output = graph.add(
        .elementwiseBinary(ElementwiseBinary(kind: .add)), name: node.name + ".bias",
        inputs: [output, shaped])
    } else if let bias = node.input(2) {
      output = graph.add(
        .elementwiseBinary(ElementwiseBinary(kind: .add)), name: node.name + ".bias",
        inputs: [output, bias])
    }
    graph.replaceUses(of: node.outputs[0], with: output)
    graph.exchange(weights, with: signs, in: index, uses)
  }
}

/// Weights as signs and one scale per output channel.
struct ScaledSigns {
  var signs: Tensor
  var scales: [Float]
  /// The largest relative distance of a magnitude from its channel's scale.
  var residue: Float

  /// Why weights are not of that form.
  struct Refusal: Error {
    var text: String
  }

  static func find(in weights: Tensor) -> Result<ScaledSigns, Refusal> {
    let floats = weights.floats
    let channels = weights.shape.dimensions.first ?? 0
    guard channels > 0, !floats.isEmpty else {
      return .failure(Refusal(text: "it has no weights"))
    }
    let perChannel = floats.count / channels
    var scales: [Float] = []
    var residue: Float = 0
    for channel in 0..<channels {
      let row = floats[channel * perChannel..<(channel + 1) * perChannel]
      var sum = 0.0
      var (smallest, largest) = (Float.infinity, Float(0))
      for weight in row {
        let magnitude = abs(weight)
        guard magnitude.isFinite else {
          return .failure(
            Refusal(text: "output channel \(channel) has a weight that is not finite"))
        }
        sum += Double(magnitude)
        smallest = min(smallest, magnitude)
        largest = max(largest, magnitude)
      }
      if smallest == largest {
        scales.append(largest)
        continue
      }
      let mean = Float(sum / Double(perChannel))
      let distance = max(largest - mean, mean - smallest) / mean
      guard distance <= BinarizeWeights.residue else {
        return .failure(refusal(row, channel: channel, of: perChannel))
      }
      residue = max(residue, distance)
      scales.append(mean)
    }
    let signs = floats.map { $0.sign == .minus && $0 != 0 ? Float(-1) : 1 }
    return .success(
      ScaledSigns(
        signs: Tensor(signs, shape: weights.shape), scales: scales, residue: residue))
  }

  private static func refusal(_ row: ArraySlice<Float>, channel: Int, of count: Int) -> Refusal {
    let zeros = row.count { $0 == 0 }
    let magnitudes = Set(row.map { abs($0) })
    if zeros > 0, magnitudes.count == 2 {
      return Refusal(
        text:
          "output channel \(channel) has \(zeros) of \(count) weights that are exactly 0, which one bit cannot hold"
      )
    }
    return Refusal(
      text: "its weights are not ±α: output channel \(channel) has \(magnitudes.count) magnitudes")
  }
}
