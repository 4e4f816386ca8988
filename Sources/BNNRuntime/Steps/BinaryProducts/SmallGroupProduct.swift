/// All groups of a few channels in one product, of whole pixels (see `bnn_bgroup.h`).
final class SmallGroupProduct: BinaryProduct {
  private let source: BinaryProductSource
  private let shape: GroupProductKernel.Shape
  private let kernel: GroupProductKernel
  private let rows: WindowRows
  /// Where each tap is in a row.
  private let tapOffsets: ParameterList<UInt32>
  private let weights: AlignedMemory
  private let pointersOffset: Int
  private let bitsOffset: Int
  private let kernelOffset: Int
  private let basesOffset: Int
  let scratchBytes: Int
  let tile: BinaryTile

  /// - Returns: nil where groups have to be multiplied one by one.
  init?(_ source: BinaryProductSource, _ context: LayerContext) throws(RuntimeError) {
    let (input, taps) = (source.input, source.plan.taps)
    let shape = GroupProductKernel.Shape(
      taps: taps, groups: source.groups, bitsPerTap: source.bitsPerTap,
      outputsPerGroup: source.outputsPerGroup, pixelWords: input.words)
    let kernel = context.kernels.groupProduct
    guard kernel.fits(shape) else { return nil }
    let outside = try context.expandedBits([source.outsideIsPlus], channels: input.channels)
    guard
      let rows = try WindowRows(
        source.plan, elementBytes: 4, pixelElements: 2 * input.words,
        tapElements: 2 * input.words, outside: outside.memory, context)
    else { return nil }
    (self.source, self.shape, self.kernel, self.rows) = (source, shape, kernel, rows)
    tapOffsets = ParameterList(memory: try context.budget.allocate(taps * 4))
    for tap in 0..<taps {
      tapOffsets.pointer[tap] = rows.offsets.pointer[tap * 2 * input.words]
    }
    let depth = taps * source.bitsPerTap
    weights = try context.weights.memory(
      layer: context.index, byteCount: shape.weightBytes
    ) { base throws(RuntimeError) in
      source.weights.withWords(of: 0..<source.outputs, run: depth) {
        shape.packWeights($0, rowWords: (depth + 63) / 64, into: base)
      }
    }
    tile = BinaryTile(
      outputs: source.outputs, positions: source.plan.positions, threads: source.threads)
    var regions = RegionLayout()
    pointersOffset = regions.add(tile.rows * MemoryLayout<UnsafePointer<UInt32>?>.stride)
    bitsOffset = regions.add(rows.scratchBytes(rows: tile.rows))
    kernelOffset = regions.add(shape.scratchBytes)
    basesOffset = regions.add(tile.rows * MemoryLayout<UnsafePointer<Int32>?>.stride)
    scratchBytes = regions.byteCount
  }

  var kernelName: String { kernel.name }

  func multiply(
    _ positions: Range<Int>, outputs: Range<Int>, into accumulators: UnsafeMutablePointer<Int32>,
    scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let pointers = (scratch + pointersOffset)
      .assumingMemoryBound(to: UnsafePointer<UInt32>?.self)
    let bits = UnsafeRawPointer(source.input.bits(execution))
    rows.fill(
      pointers, bits.assumingMemoryBound(to: UInt32.self), positions: positions,
      scratch: scratch + bitsOffset)
    let bases = (scratch + basesOffset).assumingMemoryBound(to: UnsafePointer<Int32>?.self)
    source.bases.fill(bases, positions: positions, output: 0)
    kernel.multiply(
      shape, count: positions.count, rows: pointers, tapOffsets: tapOffsets.pointer,
      packedWeights: weights.base, scratch: scratch + kernelOffset, bases: bases,
      out: accumulators, stride: source.outputs)
  }
}
