import BNNFormat
import BNNTensor

/// A convolution of bits with bits as an implicit matrix product, and its epilogue.
///
/// A tile of output positions at a time: the bits that each position's window sees are gathered
/// into rows, multiplied with the weights of every group, and finished while the integers are in
/// the cache.
final class BinaryConvolutionStep: ExecutionStep {
  private let input: Buffer
  private let plan: WindowPlan
  private let window: ImageWindow
  private let groups: Int
  private let outputsPerGroup: Int
  private let bitsPerTap: Int
  private let rowWords: Int
  private let outsideIsPlus: Bool
  private let kernels: Kernels
  private let weights: AlignedMemory
  private let weightBytesPerGroup: Int
  private let bases: AccumulatorBases
  private let epilogue: EpilogueProgram

  /// Output positions per tile, and where a worker's scratch holds what.
  private let tileRows: Int
  private let scratch: Scratch

  private struct Scratch {
    let bits: Int
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
    input = context.inputs[0]
    do {
      plan = try WindowPlan(geometry.window, input: input.shape)
    } catch {
      throw context.fault(error)
    }
    window = plan.imageWindow
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
    rowWords = (depth + 63) / 64
    outsideIsPlus = geometry.padding == .plusOne
    let rows = WeightRows(packed, outputs: outputs, depth: depth)
    bases = try AccumulatorBases(
      plan, rows, bitsPerTap: bitsPerTap, countsPadding: geometry.padding != .zero, context)
    let kernel = kernels.binaryProduct
    weightBytesPerGroup = RegionLayout.aligned(
      kernel.weightBytes(outputs: outputsPerGroup, words: rowWords))
    let (outputsInGroup, bytesInGroup, groups) = (outputsPerGroup, weightBytesPerGroup, groups)
    weights = try context.weights.memory(
      layer: context.index, byteCount: weightBytesPerGroup * groups
    ) { base throws(RuntimeError) in
      for group in 0..<groups {
        let first = group * outputsInGroup
        rows.withWords(of: first..<(first + outputsInGroup)) {
          kernel.packWeights(
            outputs: outputsInGroup, words: rows.words, rows: $0, into: base + group * bytesInGroup)
        }
      }
    }
    self.epilogue = try EpilogueProgram(epilogue, context)
    // Accumulators of a tile take about 16 KiB; no tile is so large that threads are idle.
    let share = (plan.positions + context.threads - 1) / context.threads
    tileRows = max(1, min(max(4096 / max(outputs, 1), 4), 32, share))
    var layout = RegionLayout()
    scratch = Scratch(
      bits: layout.add(tileRows * rowWords * 8),
      packed: layout.add(tileRows * rowWords * kernel.packedRowBytesPerWord),
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
      let rows = packedRows(positions, group: group, scratch: memory, execution)
      let first = group * outputsPerGroup
      bases.fill(basePointers, positions: positions, output: first)
      kernels.binaryProduct.multiply(
        rows: positions.count, outputs: outputsPerGroup, words: rowWords, packedRows: rows,
        packedWeights: weights.base + group * weightBytesPerGroup, bases: basePointers,
        out: accumulators + first, stride: outputs)
    }
    epilogue.finish(
      rows: positions, accumulators: accumulators, scratch: memory + scratch.values, execution)
  }

  /// The rows of a group in the layout of the kernel.
  private func packedRows(
    _ positions: Range<Int>, group: Int, scratch memory: UnsafeMutableRawPointer,
    _ execution: Execution
  ) -> UnsafeRawPointer {
    let source = UnsafePointer(input.bits(execution))
    var rows = source + positions.lowerBound * rowWords
    if rowWords > 0, groups > 1 || !plan.isIdentity {
      let gathered = (memory + scratch.bits).assumingMemoryBound(to: UInt64.self)
      kernels.gather.bits(
        window, source,
        .init(pixelSize: input.words, first: group * bitsPerTap, count: bitsPerTap),
        outside: outsideIsPlus, positions: positions, to: gathered, rowWords: rowWords)
      rows = UnsafePointer(gathered)
    }
    guard kernels.binaryProduct.packedRowBytesPerWord > 0 else { return UnsafeRawPointer(rows) }
    let packed = memory + scratch.packed
    kernels.binaryProduct.packRows(positions.count, words: rowWords, bits: rows, into: packed)
    return UnsafeRawPointer(packed)
  }
}
