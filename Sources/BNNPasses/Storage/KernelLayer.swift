import BNNGraph
import BNNTensor

/// A block with 3×3 binary weights, and what it reads on calibration data.
struct KernelLayer {
  let input: ValueID
  private let node: Node
  private let block: Block
  private let geometry: ConvolutionGeometry
  private let kernels: PackedKernels
  /// The squares of the outputs' scales.
  private let importance: [Double]
  private let limit: Int
  private var moments: KernelMoments
  /// What the layer reads in the original and in the changed network, as far as sums are fitted to it.
  private var samples: [(exact: Tensor, changed: Tensor)] = []
  private var sampled = 0

  /// As many numbers of a layer's input as sums are fitted to; one input in any case.
  private static let mostSampled = 1 << 20

  /// - Returns: nil for any other node, and where there are not more kernels than may be.
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
    self.block = block
    self.input = input
    self.kernels = kernels
    self.limit = limit
    importance = block.epilogue.importance(outputs: kernels.outputs)
    moments = KernelMoments(channels: kernels.channels * geometry.groups)
  }

  mutating func observe(exact: Tensor, changed: Tensor) {
    moments.add(changed, geometry: geometry)
    guard sampled < KernelLayer.mostSampled else { return }
    samples.append((exact, changed))
    sampled += exact.count
  }

  /// The weights with few kernels and the block that reads them.
  func limited() throws(GraphError) -> (PackedTensor, Block, LimitedKernels)? {
    var weights = [Double](repeating: 0, count: KernelDistance.kernels)
    for (position, kernel) in kernels.kernels.enumerated() {
      weights[Int(kernel)] += importance[position / kernels.channels]
    }
    let codebook = KernelCodebook(
      weights: weights, limit: limit,
      distance: distance(0..<kernels.channels * geometry.groups)
    ).kernels
    // All scales are 0: nothing counts.
    guard !codebook.isEmpty else { return nil }
    let result = replaced(by: codebook)
    let changed = zip(kernels.kernels, result.kernels).reduce(0) {
      $0 + ($1.0 ^ $1.1).nonzeroBitCount
    }
    var block = block
    let error: Double
    if samples.isEmpty {
      error = weightError(result)
    } else {
      let fit = try sumFit(result)
      block.epilogue = block.epilogue.reading(fit)
      error = fit.error(importance)
    }
    let finding = LimitedKernels(
      node: node.layerName, before: kernels.distinct, after: result.distinct,
      changedWeights: Double(changed) / Double(kernels.shape.count), error: error)
    return (result.packed, block, finding)
  }

  /// The distance of kernels that read some channels of the input.
  private func distance(_ channels: some Collection<Int>) -> KernelDistance {
    samples.isEmpty ? .independent : KernelDistance(moments: moments.mean(of: channels))
  }

  private func replaced(by codebook: [Int]) -> PackedKernels {
    var result = kernels
    let outputsPerGroup = kernels.outputs / geometry.groups
    for channel in 0..<kernels.channels * geometry.groups {
      let (group, own) = channel.quotientAndRemainder(dividingBy: kernels.channels)
      let distance = distance([channel])
      var nearest = [UInt16?](repeating: nil, count: KernelDistance.kernels)
      for output in group * outputsPerGroup..<(group + 1) * outputsPerGroup {
        let position = output * kernels.channels + own
        let kernel = Int(kernels.kernels[position])
        let chosen = nearest[kernel] ?? UInt16(distance.nearest(to: kernel, in: codebook))
        nearest[kernel] = chosen
        result.kernels[position] = chosen
      }
    }
    return result
  }

  /// The energy of the weights' change against that of the weights.
  private func weightError(_ result: PackedKernels) -> Double {
    var (change, energy) = (0.0, 0.0)
    for (position, kernel) in kernels.kernels.enumerated() {
      let weight = importance[position / kernels.channels]
      change += 4 * weight * Double((kernel ^ result.kernels[position]).nonzeroBitCount)
      energy += weight * Double(KernelDistance.taps)
    }
    return energy > 0 ? change / energy : 0
  }

  /// How the sums on the samples became others.
  private func sumFit(_ result: PackedKernels) throws(GraphError) -> SumFit {
    var fit = SumFit(outputs: kernels.outputs)
    for (exact, changed) in samples {
      fit.add(old: try sums(exact, kernels), new: try sums(changed, result))
    }
    return fit
  }

  private func sums(_ x: Tensor, _ kernels: PackedKernels) throws(GraphError) -> Tensor {
    try node.attempt { () throws(OperatorError) in
      try Block(core: block.core, epilogue: Epilogue()).evaluate([x, Tensor(kernels.packed)])[0]
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
