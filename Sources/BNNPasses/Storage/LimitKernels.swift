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
/// taps' second moments come from what the layer reads, without they count as independent.
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

  /// More entries hardly change the moments of 9 taps, but take time.
  static let mostRuns = 16

  public func run(on graph: inout Graph) throws(GraphError) -> PassOutcome {
    var outcome = PassOutcome()
    var layers: [KernelLayer] = graph.nodes.indices.compactMap { index in
      guard case .most(let limit) = storage.kernels(of: graph.nodes[index].layerName) else {
        return nil
      }
      return KernelLayer(index, in: graph, limit: limit)
    }
    guard !layers.isEmpty else { return outcome }
    if !calibration.isEmpty { try collect(&layers, graph) }
    for layer in layers {
      guard let (weights, finding) = try layer.limited() else { continue }
      let node = graph.nodes[layer.index]
      graph.nodes[layer.index].inputs[1] = graph.addConstant(
        Tensor(weights), name: graph[node.inputs[1] ?? layer.input].name)
      outcome.findings.append(.limitedKernels(finding))
      outcome.rewrote(node, "\(finding.after) of \(finding.before) kernels")
    }
    return outcome
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

  private func collect(_ layers: inout [KernelLayer], _ graph: Graph) throws(GraphError) {
    let executor = ReferenceExecutor(graph)
    let inputs = Set(layers.map(\.input))
    for run in calibration.prefix(LimitKernels.mostRuns) {
      let values = try executor.run(run, keeping: inputs)
      for index in layers.indices {
        if let x = values[layers[index].input] { layers[index].observe(x) }
      }
    }
  }
}

/// A block with 3×3 binary weights.
private struct KernelLayer {
  let index: Int
  let node: Node
  let input: ValueID
  private let core: Block.Core
  private let geometry: ConvolutionGeometry
  private let kernels: PackedKernels
  /// The squares of the outputs' scales.
  private let importance: [Double]
  private let limit: Int
  private var moments: KernelMoments
  /// What the layer read in the first runs, to measure its error with.
  private var samples: [Tensor] = []

  init?(_ index: Int, in graph: Graph, limit: Int) {
    node = graph.nodes[index]
    guard case .block(let block) = node.op, let input = node.input(0),
      let packed = node.input(1).flatMap({ graph[$0].constant?.packed }),
      let kernels = PackedKernels(packed), kernels.distinct > limit
    else { return nil }
    switch block.core {
    case .binaryConvolution(let geometry), .convolution(let geometry): self.geometry = geometry
    case .pool, .pointwise: return nil
    }
    core = block.core
    self.index = index
    self.input = input
    self.kernels = kernels
    self.limit = limit
    importance = block.epilogue.importance(outputs: kernels.outputs)
    moments = KernelMoments(channels: kernels.channels * geometry.groups)
  }

  mutating func observe(_ x: Tensor) {
    moments.add(x, geometry: geometry)
    if samples.count < 2 { samples.append(x) }
  }

  /// The weights with few kernels; nil where the layer reads nothing but zeros.
  func limited() throws(GraphError) -> (PackedTensor, LimitedKernels)? {
    let isObserved = !samples.isEmpty
    let all =
      isObserved
      ? KernelDistance(moments: moments.mean(of: 0..<kernels.channels * geometry.groups))
      : .independent
    var weights = [Double](repeating: 0, count: KernelDistance.kernels)
    for (position, kernel) in kernels.kernels.enumerated() {
      weights[Int(kernel)] += importance[position / kernels.channels]
    }
    let codebook = KernelCodebook(weights: weights, limit: limit, distance: all).kernels
    guard !codebook.isEmpty else { return nil }
    var result = kernels
    let outputsPerGroup = kernels.outputs / geometry.groups
    for channel in 0..<kernels.channels {
      for group in 0..<geometry.groups {
        let distance =
          isObserved
          ? KernelDistance(moments: moments.mean(of: [group * kernels.channels + channel])) : all
        var nearest = [UInt16?](repeating: nil, count: KernelDistance.kernels)
        for output in group * outputsPerGroup..<(group + 1) * outputsPerGroup {
          let position = output * kernels.channels + channel
          let kernel = Int(kernels.kernels[position])
          let chosen = nearest[kernel] ?? UInt16(distance.nearest(to: kernel, in: codebook))
          nearest[kernel] = chosen
          result.kernels[position] = chosen
        }
      }
    }
    return (result.packed, try finding(result))
  }

  private func finding(_ result: PackedKernels) throws(GraphError) -> LimitedKernels {
    let changed = zip(kernels.kernels, result.kernels).reduce(0) {
      $0 + ($1.0 ^ $1.1).nonzeroBitCount
    }
    return LimitedKernels(
      node: node.name, before: kernels.distinct, after: result.distinct,
      changedWeights: Double(changed) / Double(kernels.shape.count),
      error: try error(result))
  }

  /// The energy of the change against the energy itself.
  private func error(_ result: PackedKernels) throws(GraphError) -> Double {
    guard !samples.isEmpty else {
      var (change, energy) = (0.0, 0.0)
      for (position, kernel) in kernels.kernels.enumerated() {
        let weight = importance[position / kernels.channels]
        change += 4 * weight * Double((kernel ^ result.kernels[position]).nonzeroBitCount)
        energy += weight * Double(KernelDistance.taps)
      }
      return energy > 0 ? change / energy : 0
    }
    var (change, energy) = (0.0, 0.0)
    for x in samples {
      let (old, new) = (try sums(x, kernels), try sums(x, result))
      let positions = old.shape.dimensions.dropFirst(2).reduce(1, *)
      for (place, (a, b)) in zip(old.floats, new.floats).enumerated() {
        let weight = importance[place / positions % kernels.outputs]
        change += weight * Double(a - b) * Double(a - b)
        energy += weight * Double(a) * Double(a)
      }
    }
    return energy > 0 ? change / energy : 0
  }

  private func sums(_ x: Tensor, _ kernels: PackedKernels) throws(GraphError) -> Tensor {
    try node.attempt { () throws(OperatorError) in
      try Block(core: core, epilogue: Epilogue()).evaluate([x, Tensor(kernels.packed)])[0]
    }
  }
}

extension Epilogue {
  /// The square of what each output's sum is multiplied with; 1 where only its sign counts.
  fileprivate func importance(outputs: Int) -> [Double] {
    guard case .affine(let scale, _)? = steps.first else {
      return [Double](repeating: 1, count: outputs)
    }
    return (0..<outputs).map { output in
      let factor = Double(scale.count == 1 ? scale[0] : scale[output])
      return factor.isFinite ? factor * factor : 1
    }
  }
}
