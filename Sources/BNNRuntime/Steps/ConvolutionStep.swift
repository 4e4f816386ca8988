import BNNFormat
import BNNTensor

/// A convolution of real values as an implicit matrix product, and its epilogue. Weights of ±1
/// become real numbers when they are laid out.
final class ConvolutionStep: ExecutionStep {
  private let input: Buffer
  private let plan: WindowPlan
  private let window: ImageWindow
  private let groups: Int
  private let outputsPerGroup: Int
  private let channelsPerGroup: Int
  private let depth: Int
  private let kernels: Kernels
  private let weights: AlignedMemory
  private let weightBytesPerGroup: Int
  private let epilogue: EpilogueProgram

  private let tileRows: Int
  /// Offsets in a worker's scratch: gathered rows, and results where the output holds none.
  private let rowsOffset: Int
  private let valuesOffset: Int
  let scratchBytes: Int

  init(
    _ geometry: ConvolutionGeometry, _ source: Weights, _ epilogue: Epilogue,
    _ context: LayerContext
  ) throws(RuntimeError) {
    input = context.inputs[0]
    do {
      plan = try WindowPlan(geometry.window, input: input.shape)
    } catch {
      throw context.fault(error)
    }
    window = plan.imageWindow
    groups = geometry.groups
    kernels = context.kernels
    let outputs = source.shape[0]
    outputsPerGroup = outputs / groups
    channelsPerGroup = input.channels / groups
    let (depth, overflow) = plan.taps.multipliedReportingOverflow(by: channelsPerGroup)
    guard !overflow, depth < 1 << 40 else {
      throw context.fault(.accumulatorRange(overflow ? Int.max : depth))
    }
    self.depth = depth
    let kernel = kernels.floatProduct
    weightBytesPerGroup = RegionLayout.aligned(
      kernel.weightBytes(outputs: outputsPerGroup, depth: depth))
    let (bytesInGroup, outputsInGroup, groups) = (weightBytesPerGroup, outputsPerGroup, groups)
    let (weightBytes, tooMany) = bytesInGroup.multipliedReportingOverflow(by: groups)
    guard !tooMany else { throw .tooLarge(bytes: nil, limit: context.budget.limit) }
    weights = try context.weights.memory(layer: context.index, byteCount: weightBytes) {
      base throws(RuntimeError) in
      let values = source.floats
      values.withUnsafeBufferPointer { values in
        guard let rows = values.baseAddress else { return }
        for group in 0..<groups {
          kernel.packWeights(
            outputs: outputsInGroup, depth: depth, rows: rows + group * outputsInGroup * depth,
            into: (base + group * bytesInGroup).assumingMemoryBound(to: Float.self))
        }
      }
    }
    self.epilogue = try EpilogueProgram(epilogue, context)
    // Gathered rows of a tile take about 64 KiB; a multiple of the rows of the kernel's tile.
    let share = (plan.positions + context.threads - 1) / context.threads
    tileRows = max(1, min(max(16384 / max(depth, 1) / 6 * 6, 6), 48, share))
    var layout = RegionLayout()
    rowsOffset = layout.add(tileRows * depth * 4)
    valuesOffset = layout.add(self.epilogue.scratchBytes(rows: tileRows))
    scratchBytes = layout.byteCount
  }

  var work: StepWork {
    StepWork(
      floatMACs: StepWork.product(plan.positions, groups * outputsPerGroup, depth),
      kernel: kernels.floatProduct.name)
  }

  func run(_ execution: Execution) {
    let tiles = (plan.positions + tileRows - 1) / tileRows
    execution.pool.run(tiles) { tiles, worker in
      for tile in tiles {
        let first = tile * tileRows
        let positions = first..<min(first + tileRows, plan.positions)
        run(positions, scratch: execution.scratch(worker), execution)
      }
    }
  }

  private func run(
    _ positions: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let source = UnsafePointer(input.floats(execution))
    let values = scratch + valuesOffset
    let target = epilogue.target(row: positions.lowerBound, scratch: values, execution)
    let gathered = (scratch + rowsOffset).assumingMemoryBound(to: Float.self)
    for group in 0..<groups {
      var rows = source + positions.lowerBound * input.channels + group * channelsPerGroup
      var stride = input.channels
      if !plan.isIdentity, depth > 0 {
        kernels.gather.floats(
          window, source,
          .init(
            pixelSize: input.channels, first: group * channelsPerGroup, count: channelsPerGroup),
          positions: positions, to: gathered)
        rows = UnsafePointer(gathered)
        stride = depth
      }
      let packed = weights.base + group * weightBytesPerGroup
      kernels.floatProduct.multiply(
        rows: positions.count, outputs: outputsPerGroup, depth: depth, a: rows, aStride: stride,
        packedWeights: packed.assumingMemoryBound(to: Float.self),
        out: target + group * outputsPerGroup, stride: groups * outputsPerGroup)
    }
    epilogue.finish(rows: positions, values: target, scratch: values, execution)
  }
}

extension Weights {
  /// The weights as real numbers, output by output.
  fileprivate var floats: [Float] {
    switch self {
    case .signs(let packed): packed.signs
    case .float32(let values, _): values
    }
  }
}
