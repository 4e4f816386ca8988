import BNNFormat
import BNNTensor

/// A convolution of bits with bits as an implicit matrix product, and its epilogue.
///
/// A tile of output positions at a time: the bits that each position's window sees are multiplied
/// with the weights of every group, and finished while the integers are in the cache.
final class BinaryConvolutionStep: ExecutionStep {
  private let plan: WindowPlan
  private let groups: Int
  private let outputsPerGroup: Int
  private let bitsPerTap: Int
  private let source: BitRowSource
  private let kernels: Kernels
  private let weights: AlignedMemory
  private let weightBytesPerGroup: Int
  private let bases: AccumulatorBases
  private let epilogue: EpilogueProgram

  /// Output positions per tile, and where a worker's scratch holds what.
  private let tileRows: Int
  private let scratch: Scratch

  private struct Scratch {
    let rows: Int
    let packed: Int
    let basePointers: Int
    let accumulators: Int
    let values: Int
    let byteCount: Int
  }

  init(
    _ geometry: ConvolutionGeometry, _ packed: PackedTensor, _ epilogue: Epilogue,
    _ context: LayerContext
  ) throws(RuntimeError) {
    let input = context.inputs[0]
    do {
      plan = try WindowPlan(geometry.window, input: input.shape)
    } catch {
      throw context.fault(error)
    }
    groups = geometry.groups
    kernels = context.kernels
    let outputs = packed.shape[0]
    outputsPerGroup = outputs / groups
    bitsPerTap = input.channels / groups
    let (depth, overflow) = plan.taps.multipliedReportingOverflow(by: bitsPerTap)
    // A base is at most three times this; see AccumulatorBases.
    guard !overflow, depth < 1 << 29 else {
      throw context.fault(.accumulatorRange(overflow ? Int.max : depth))
    }
    // Accumulators of a tile take about 16 KiB; no tile is so large that threads are idle.
    let share = (plan.positions + context.threads - 1) / context.threads
    tileRows = max(1, min(max(4096 / max(outputs, 1), 4), 32, share))
    source = try BitRowSource(
      input, plan, groups: groups, outsideIsPlus: geometry.padding == .plusOne, tileRows: tileRows,
      context)
    let rows = WeightRows(packed, outputs: outputs, depth: depth)
    bases = try AccumulatorBases(
      plan, rows, bitsPerTap: bitsPerTap, countsPadding: geometry.padding != .zero, context)
    let kernel = kernels.binaryProduct
    let (words, run) = ((source.halves + 1) / 2, source.run)
    weightBytesPerGroup = RegionLayout.aligned(
      kernel.weightBytes(outputs: outputsPerGroup, words: words))
    let (outputsInGroup, bytesInGroup, groups) = (outputsPerGroup, weightBytesPerGroup, groups)
    weights = try context.weights.memory(
      layer: context.index, byteCount: weightBytesPerGroup * groups
    ) { base throws(RuntimeError) in
      for group in 0..<groups {
        let first = group * outputsInGroup
        rows.withWords(of: first..<(first + outputsInGroup), run: run) {
          kernel.packWeights(
            outputs: outputsInGroup, words: words, rows: $0, into: base + group * bytesInGroup)
        }
      }
    }
    self.epilogue = try EpilogueProgram(epilogue, context)
    var layout = RegionLayout()
    scratch = Scratch(
      rows: layout.add(source.scratchBytes),
      packed: layout.add(tileRows * words * kernel.scratchBytesPerWord),
      basePointers: layout.add(tileRows * MemoryLayout<UnsafePointer<Int32>?>.stride),
      accumulators: layout.add(tileRows * outputs * 4),
      values: layout.add(self.epilogue.scratchBytes(rows: tileRows)), byteCount: layout.byteCount)
  }

  var scratchBytes: Int { scratch.byteCount }

  var work: StepWork {
    StepWork(
      binaryMACs: StepWork.product(
        plan.positions, groups * outputsPerGroup, plan.taps * bitsPerTap),
      kernel: kernels.binaryProduct.name)
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
    _ positions: Range<Int>, scratch memory: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let outputs = groups * outputsPerGroup
    let accumulators = (memory + scratch.accumulators).assumingMemoryBound(to: Int32.self)
    let basePointers = (memory + scratch.basePointers)
      .assumingMemoryBound(to: UnsafePointer<Int32>?.self)
    for group in 0..<groups {
      let rows = source.rows(positions, group: group, scratch: memory + scratch.rows, execution)
      let first = group * outputsPerGroup
      bases.fill(basePointers, positions: positions, output: first)
      kernels.binaryProduct.multiply(
        rows, outputs: outputsPerGroup, packedWeights: weights.base + group * weightBytesPerGroup,
        scratch: memory + scratch.packed, bases: basePointers, out: accumulators + first,
        stride: outputs)
    }
    epilogue.finish(
      rows: positions, accumulators: accumulators, scratch: memory + scratch.values, execution)
  }
}
