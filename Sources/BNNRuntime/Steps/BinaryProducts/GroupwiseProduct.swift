/// The integer part of a binary convolution, the sums of products of ±1 under the window of each
/// output position: one product per group, of rows of its bits, or per so many groups as a kernel
/// multiplies at once, which are one group here.
final class GroupwiseProduct {
  private let source: BinaryProductSource
  private let groups: Int
  private let outputsPerGroup: Int
  private let rows: BitRowSource
  private let kernel: BinaryProductKernel
  private let weights: AlignedMemory
  private let weightBytesPerGroup: Int
  private let words: Int
  private let rowsOffset: Int
  private let kernelOffset: Int
  /// Whether the rows of two groups are arranged at once.
  private let arrangesTwo: Bool
  private let basesOffset: Int
  /// Bytes that each worker needs.
  let scratchBytes: Int
  /// The positions of a call at most, and the outputs that are best asked for at a time.
  let tile: BinaryTile
  /// Whether the weights leave the second-level cache while a tile is computed.
  private let weightsLeaveCache: Bool
  /// The weights of the product that is computed after this one.
  private var nextWeights: AlignedMemory?
  /// Whether it can count mismatches in bit planes, those of its tile at a time.
  let countsInPlanes: Bool

  /// - Parameter isTested: accumulators are only tested for bits.
  init(
    _ source: BinaryProductSource, isTested: Bool, _ context: LayerContext
  ) throws(RuntimeError) {
    self.source = source
    // The weights are laid out for all batch sizes.
    let design = context.binaryProduct(for: source, isTested: isTested)
    let kernel = design.kernel
    self.kernel = kernel
    groups = source.groups / design.groupsAtOnce
    outputsPerGroup = source.outputsPerGroup * design.groupsAtOnce
    let (groups, outputs) = (groups, outputsPerGroup)
    let depth = source.plan.taps * source.bitsPerTap * design.groupsAtOnce
    // A tile meets the weights of all groups.
    let weightBytes = StepWork.product(
      groups, kernel.weightBytes(outputs: outputs, words: (depth + 63) / 64))
    weightsLeaveCache = weightBytes > 1 << 19
    tile = GroupwiseProduct.tile(
      source, kernel, outputsPerGroup: outputs, weightsLeaveCache: weightsLeaveCache,
      threads: context.threads)
    rows = try BitRowSource(
      source.input, source.plan, groups: groups, outputsPerGroup: outputs,
      outsideIsPlus: source.outsideIsPlus, tileRows: tile.rows, kernel: kernel, context)
    let (words, run) = ((rows.halves + 1) / 2, rows.run)
    self.words = words
    countsInPlanes =
      kernel.mostCountedWords > 0 && words <= kernel.mostCountedWords
      && tile.outputs <= outputs && outputs >= kernel.fewestCountedOutputs
    let bytes = RegionLayout.aligned(kernel.weightBytes(outputs: outputs, words: words))
    weightBytesPerGroup = bytes
    weights = try context.weights.memory(
      layer: context.index, byteCount: bytes * groups, signBytes: source.weights.byteCount
    ) { base throws(RuntimeError) in
      for group in 0..<groups {
        let own = group * outputs..<(group + 1) * outputs
        let pack = { rows in
          kernel.packWeights(
            outputs: outputs, words: words, rows: rows, into: base + group * bytes)
        }
        if design.groupsAtOnce > 1 {
          source.weights.withWords(of: own, groupSize: source.outputsPerGroup, pack)
        } else {
          source.weights.withWords(of: own, run: run, pack)
        }
      }
    }
    var regions = RegionLayout()
    rowsOffset = regions.add(rows.scratchBytes)
    arrangesTwo =
      groups > 1 && kernel.halvesOfTwo != nil && kernel.halvesOfTwo == rows.halvesOfGroup
    kernelOffset = regions.add(
      kernel.arrangedBytes(rows: tile.rows, words: words) * (arrangesTwo ? 2 : 1))
    basesOffset = regions.add(tile.rows * MemoryLayout<UnsafePointer<Int32>?>.stride)
    scratchBytes = regions.byteCount
  }

  /// Parts of the outputs are whole blocks of channels, and whole groups or parts of one.
  private static func tile(
    _ source: BinaryProductSource, _ kernel: BinaryProductKernel, outputsPerGroup perGroup: Int,
    weightsLeaveCache: Bool, threads: Int
  ) -> BinaryTile {
    let words = (source.weights.depth + 63) / 64
    guard let outputs = kernel.bestOutputs.map({ min($0, perGroup) }),
      perGroup == source.outputs || (outputs % 64 == 0 && perGroup % outputs == 0)
    else {
      return BinaryTile(
        outputs: source.outputs, words: words, positions: source.plan.positions, threads: threads)
    }
    // Weights that leave the cache are read again for each tile.
    let positions = source.plan.positions
    let rows =
      weightsLeaveCache
      ? 4 * kernel.bestRows
      : max(kernel.bestRows, BinaryTile.rows(outputs: outputs, words: words) / 8 * 8)
    let splitsOutputs =
      threads > 1 && weightsLeaveCache && positions <= rows && source.outputs >= threads * outputs
    var tile = BinaryTile(
      rows: rows, of: positions, multiple: 8, outputs: outputs,
      threads: splitsOutputs ? 1 : threads)
    tile.splitsOutputs = splitsOutputs
    return tile
  }

  /// Asks for the weights of the next product while it computes the last of its own.
  func isFollowed(by next: GroupwiseProduct) { nextWeights = next.weights }

  var kernelName: String { kernel.name }

  /// Writes a row of accumulators of some outputs for each position: of all, or of those of the
  /// tile, one part after the other.
  func multiply(
    _ positions: Range<Int>, outputs: Range<Int>, _ order: PartOrder,
    into accumulators: UnsafeMutablePointer<Int32>, scratch: UnsafeMutableRawPointer,
    _ execution: Execution
  ) {
    let bases = (scratch + basesOffset).assumingMemoryBound(to: UnsafePointer<Int32>?.self)
    source.bases.fill(bases, positions: positions, output: outputs.lowerBound)
    var first = outputs.lowerBound
    while first < outputs.upperBound {
      let (group, start) = first.quotientAndRemainder(dividingBy: outputsPerGroup)
      let end = min(outputs.upperBound, first - start + outputsPerGroup)
      let (bits, arranged) = bits(
        positions, group: group, isNew: start == 0,
        isStart: order.isStart && first == outputs.lowerBound, isFirst: order.isFirst,
        scratch: scratch, execution)
      kernel.multiply(
        bits, arranged: arranged, outputs: end - first,
        packedWeights: packedWeights(group: group, from: start),
        next: next(after: end, order), bases: bases,
        out: accumulators + (first - outputs.lowerBound), stride: outputs.count)
      bases.advanceAll(positions.count, by: end - first)
      first = end
    }
  }

  /// Writes planes instead of accumulators, of outputs of one group.
  func count(
    _ positions: Range<Int>, outputs: Range<Int>, _ order: PartOrder,
    into planes: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer,
    _ execution: Execution
  ) {
    let (group, start) = outputs.lowerBound.quotientAndRemainder(dividingBy: outputsPerGroup)
    let (bits, arranged) = bits(
      positions, group: group, isNew: start == 0, isStart: order.isStart, isFirst: order.isFirst,
      scratch: scratch, execution)
    kernel.count(
      bits, arranged: arranged, outputs: outputs.count,
      packedWeights: packedWeights(group: group, from: start),
      next: next(after: outputs.upperBound, order), into: planes)
  }

  /// The rows of a group, and where they are arranged; further parts of its outputs use the same, and
  /// every second group those that were arranged with the one before.
  private func bits(
    _ positions: Range<Int>, group: Int, isNew: Bool, isStart: Bool, isFirst: Bool,
    scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) -> (rows: BitRows, arranged: UnsafeRawPointer) {
    let arranged = scratch + kernelOffset
    let place = arrangesTwo ? group % 2 : 0
    if isStart || (isNew && place == 0) {
      rows.prepare(
        positions, group: group - place, isStart: isStart, isFirst: isFirst,
        step: arrangesTwo ? 2 : 1, scratch: scratch + rowsOffset, execution)
      let bits = rows.rows(positions, scratch: scratch + rowsOffset)
      if arrangesTwo, group - place + 1 < groups {
        kernel.arrangeTwo(bits, into: arranged)
      } else {
        kernel.arrange(bits, into: arranged)
      }
    }
    return (
      rows.rows(positions, scratch: scratch + rowsOffset),
      UnsafeRawPointer(
        arranged + place * kernel.arrangedBytes(rows: positions.count, words: words))
    )
  }

  /// The weights of the outputs from `output` on, or those of the next product, where it is worth
  /// asking for them.
  private func next(after output: Int, _ order: PartOrder) -> UnsafeRawPointer? {
    if output == source.outputs {
      return order.isLast ? nextWeights.map { UnsafeRawPointer($0.base) } : nil
    }
    guard order.isFirst || weightsLeaveCache else { return nil }
    let (group, start) = output.quotientAndRemainder(dividingBy: outputsPerGroup)
    return UnsafeRawPointer(packedWeights(group: group, from: start))
  }

  private func packedWeights(group: Int, from output: Int) -> UnsafeMutableRawPointer {
    weights.base + group * weightBytesPerGroup + kernel.weightBytes(outputs: output, words: words)
  }
}
