import BNNGraph
import BNNTensor

/// Replaces the kernels of 3×3 binary weights by the nearest of few.
///
/// Before: `Block(x, bits)` with bits [O, 3, 3, C]. After: the same with at most the given number of
/// different kernels per layer, which the file then stores as a codebook and indices (SNN,
/// Wang et al. 2021; Sparks, Wang et al. 2023, train such networks; here the codebook is chosen
/// afterwards).
///
/// The codebook minimizes the change of the layer's sums, taken tap by tap and channel by channel,
/// weighted by the square of each output's scale: see `KernelCodebook`. With calibration the
/// taps' second moments come from what the layer reads, and each output's scale and bias, or its
/// thresholds, make up for what the new sums are larger or smaller on the whole: the original
/// network's sums are fitted as a · new + b, layer after layer, where new ones come from a network
/// whose layers before have few kernels already. Without calibration the taps count as independent.
public struct LimitKernels: LossyPass {
  public let name = "limit-kernels"
  public let summary = "Replaces 3×3 binary kernels by the nearest of a small codebook."
  public let storage: StorageOptions
  /// Inputs of the graph by name, one entry per run.
  public let calibration: [[String: Tensor]]

  public init(_ storage: StorageOptions, calibration: [[String: Tensor]] = []) {
    self.storage = storage
    self.calibration = calibration
  }

  /// So many numbers that all the layers read are enough for moments of nine taps and two moments of
  /// sums.
  private static let mostNumbers = 1 << 24

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    let original = graph
    var walk = PairedWalk(original, runs: runs(for: graph))
    // The pipeline has sorted the nodes.
    for index in original.nodes.indices {
      if var layer = layer(index, in: graph) {
        for (exact, changed) in walk.values(of: layer.input) {
          layer.observe(exact: exact, changed: changed)
        }
        if let (weights, block, finding) = try layer.limited() {
          let node = graph.nodes[index]
          graph.nodes[index].op = .block(block)
          graph.nodes[index].inputs[1] = graph.addConstant(
            Tensor(weights), name: graph[node.inputs[1] ?? layer.input].name)
          outcome.findings.append(.limitedKernels(finding))
          outcome.rewrote(node, "\(finding.after) of \(finding.before) kernels")
        }
      }
      try walk.pass(original.nodes[index], changed: graph.nodes[index], in: graph)
    }
    return outcome
  }

  private func layer(_ index: Int, in graph: Graph) -> KernelLayer? {
    guard case .most(let limit) = storage.kernels(of: graph.nodes[index].layerName) else {
      return nil
    }
    return KernelLayer(index, in: graph, limit: limit)
  }

  /// As many runs of the calibration as give enough numbers; at least one.
  private func runs(for graph: Graph) -> [[String: Tensor]] {
    var each = 1
    for index in graph.nodes.indices {
      guard let layer = layer(index, in: graph), let type = graph[layer.input].type else {
        continue
      }
      each += type.dimensions.shape(batch: 1).count
    }
    return Array(calibration.prefix(max(1, LimitKernels.mostNumbers / each)))
  }

  /// Weights [O, 3, 3, C] with the nearest of so many of their kernels, without calibration and with
  /// outputs of one scale; nil for any other shape.
  package static func limited(_ packed: PackedTensor, to limit: Int) -> PackedTensor? {
    guard var kernels = PackedKernels(packed) else { return nil }
    var weights = [Double](repeating: 0, count: KernelDistance.kernels)
    for kernel in kernels.kernels { weights[Int(kernel)] += 1 }
    let distance = KernelDistance.independent
    let codebook = KernelCodebook(weights: weights, limit: limit, distance: distance).kernels
    guard !codebook.isEmpty else { return packed }
    let nearest = (0..<KernelDistance.kernels).map {
      UInt16(distance.nearest(to: $0, in: codebook))
    }
    kernels.kernels = kernels.kernels.map { nearest[Int($0)] }
    return kernels.packed
  }
}
