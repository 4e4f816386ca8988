/// One product per group, of rows of its bits.
final class GroupwiseProduct: BinaryProduct {
  private let source: BinaryProductSource
  private let rows: BitRowSource
  private let kernel: BinaryProductKernel
  private let weights: AlignedMemory
  private let weightBytesPerGroup: Int
  private let rowsOffset: Int
  private let kernelOffset: Int
  private let basesOffset: Int
  let scratchBytes: Int

  /// - Parameter tileRows: positions of one call at most.
  init(
    _ source: BinaryProductSource, tileRows: Int, _ context: LayerContext
  ) throws(RuntimeError) {
    self.source = source
    rows = try BitRowSource(
      source.input, source.plan, groups: source.groups,
      outputsPerGroup: source.outputsPerGroup, outsideIsPlus: source.outsideIsPlus,
      tileRows: tileRows, context)
    let kernel = context.kernels.binaryProduct
    self.kernel = kernel
    let (words, run) = ((rows.halves + 1) / 2, rows.run)
    let outputs = source.outputsPerGroup
    let bytes = RegionLayout.aligned(kernel.weightBytes(outputs: outputs, words: words))
    weightBytesPerGroup = bytes
    weights = try context.weights.memory(
      layer: context.index, byteCount: bytes * source.groups
    ) { base throws(RuntimeError) in
      for group in 0..<source.groups {
        let first = group * outputs
        source.weights.withWords(of: first..<(first + outputs), run: run) {
          kernel.packWeights(outputs: outputs, words: words, rows: $0, into: base + group * bytes)
        }
      }
    }
    var regions = RegionLayout()
    rowsOffset = regions.add(rows.scratchBytes)
    kernelOffset = regions.add(tileRows * words * kernel.scratchBytesPerWord)
    basesOffset = regions.add(tileRows * MemoryLayout<UnsafePointer<Int32>?>.stride)
    scratchBytes = regions.byteCount
  }

  var kernelName: String { kernel.name }

  func multiply(
    _ positions: Range<Int>, into accumulators: UnsafeMutablePointer<Int32>,
    scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let bases = (scratch + basesOffset).assumingMemoryBound(to: UnsafePointer<Int32>?.self)
    for group in 0..<source.groups {
      let first = group * source.outputsPerGroup
      source.bases.fill(bases, positions: positions, output: first)
      kernel.multiply(
        rows.rows(positions, group: group, scratch: scratch + rowsOffset, execution),
        outputs: source.outputsPerGroup,
        packedWeights: weights.base + group * weightBytesPerGroup,
        scratch: scratch + kernelOffset, bases: bases, out: accumulators + first,
        stride: source.outputs)
    }
  }
}
