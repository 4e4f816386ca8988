import BNNFormat
import BNNTensor

/// A convolution of real values as an implicit matrix product, and its epilogue. Weights of ±1
/// become real numbers when they are laid out.
final class ConvolutionStep: TiledStep {
  private let plan: WindowPlan
  private let groups: Int
  private let outputsPerGroup: Int
  private let depth: Int
  private let kernel: FloatProductKernel
  private let source: FloatRowSource
  private let weights: AlignedMemory
  private let weightBytesPerGroup: Int
  private let epilogue: EpilogueProgram

  let tileRows: Int
  /// Offsets in a worker's scratch: what rows need, and results where the output holds none.
  private let rowsOffset: Int
  private let valuesOffset: Int
  let scratchBytes: Int

  init(
    _ geometry: ConvolutionGeometry, _ source: Weights, _ epilogue: Epilogue,
    _ context: LayerContext
  ) throws(RuntimeError) {
    let input = context.inputs[0]
    plan = try context.windowPlan(geometry.window)
    groups = geometry.groups
    kernel = context.kernels.floatProduct
    let outputs = source.shape[0]
    outputsPerGroup = outputs / groups
    let (depth, overflow) = plan.taps.multipliedReportingOverflow(
      by: input.channels / groups)
    guard !overflow, depth < 1 << 32 else {
      throw context.fault(.accumulatorRange(overflow ? Int.max : depth))
    }
    self.depth = depth
    weightBytesPerGroup = RegionLayout.aligned(
      FloatProductKernel.weightBytes(outputs: outputsPerGroup, depth: depth))
    let (bytesInGroup, outputsInGroup, groups) = (weightBytesPerGroup, outputsPerGroup, groups)
    let (bias, epilogue) = epilogue.separatingBias(channels: outputs)
    let (weightBytes, tooMany) = bytesInGroup.multipliedReportingOverflow(by: groups)
    guard !tooMany else { throw .tooLarge(bytes: nil, limit: context.budget.limit) }
    weights = try context.weights.memory(layer: context.index, byteCount: weightBytes) {
      base throws(RuntimeError) in
      let values = source.floats
      values.withUnsafeBufferPointer { values in
        guard let rows = values.baseAddress else { return }
        for group in 0..<groups {
          FloatProductKernel.packWeights(
            outputs: outputsInGroup, depth: depth, rows: rows + group * outputsInGroup * depth,
            bias: bias.map { Array($0[group * outputsInGroup..<(group + 1) * outputsInGroup]) },
            into: (base + group * bytesInGroup).assumingMemoryBound(to: Float.self))
        }
      }
    }
    self.epilogue = try EpilogueProgram(epilogue, context)
    // Rows and results of a tile fit into the first level cache; no tile is so large that threads
    // are idle.
    let share = (plan.positions + context.threads - 1) / context.threads
    let perTile = kernel.rowsPerTile
    let wanted = max(
      1, min(max(16384 / max(depth + outputs, 1) / perTile, 1) * perTile, 8 * perTile, share))
    self.source = try FloatRowSource(
      input, plan, groups: groups, tileRows: wanted, multiple: perTile, context)
    tileRows = self.source.tileRows
    var layout = RegionLayout()
    rowsOffset = layout.add(self.source.scratchBytes)
    valuesOffset = layout.add(self.epilogue.scratchBytes(rows: tileRows))
    scratchBytes = layout.byteCount
  }

  var rowCount: Int { plan.positions }
  var work: StepWork {
    StepWork(
      floatMACs: StepWork.product(plan.positions, groups * outputsPerGroup, depth),
      kernel: kernel.name)
  }

  func compute(
    _ positions: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let values = scratch + valuesOffset
    let target = epilogue.target(row: positions.lowerBound, scratch: values, execution)
    for group in 0..<groups {
      let packed = weights.base + group * weightBytesPerGroup
      kernel.multiply(
        source.rows(positions, group: group, scratch: scratch + rowsOffset, execution),
        outputs: outputsPerGroup, packedWeights: packed.assumingMemoryBound(to: Float.self),
        out: target + group * outputsPerGroup, stride: groups * outputsPerGroup)
    }
    epilogue.finish(rows: positions, values: target, scratch: values, execution)
  }
}

extension Epilogue {
  /// A bias that is added to sums before anything else, one number per channel, and the steps after
  /// it: x · 1 + b is x + b, bit for bit.
  func separatingBias(channels: Int) -> ([Float]?, Epilogue) {
    guard case .affine(let scale, let bias) = steps.first, scale.allSatisfy({ $0 == 1 }),
      bias.count == 1 || bias.count == channels, scale.count == 1 || scale.count == channels
    else { return (nil, self) }
    var rest = self
    rest.steps.removeFirst()
    return (bias.count == 1 ? [Float](repeating: bias[0], count: channels) : bias, rest)
  }
}

extension Weights {
  /// The weights as real numbers, output by output.
  var floats: [Float] {
    switch self {
    case .signs(let packed): packed.signs
    case .float32(let values, _): values
    }
  }
}
