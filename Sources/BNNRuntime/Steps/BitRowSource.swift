import BNNTensor

/// The rows of bits that a binary convolution multiplies: what the window of each output position
/// sees.
///
/// Rows are read where they lie where taps are whole words, or nearly so (the words of 48 channels
/// are mostly full); otherwise their bits are gathered without gaps.
struct BitRowSource {
  private let input: Buffer
  private let layout: Layout
  private let offsets: ParameterList<UInt32>
  private let bitsPerTap: Int
  private let outsideIsPlus: Bool
  /// Words of a row.
  let words: Int
  /// The bits in a row that begin on a word: those of a tap, or all.
  let run: Int
  private let pointersOffset: Int
  private let bitsOffset: Int
  let scratchBytes: Int

  private enum Layout {
    case inPlace(WindowRows)
    case gathered(GatherKernel, ImageWindow)
  }

  init(
    _ input: Buffer, _ plan: WindowPlan, groups: Int, outsideIsPlus: Bool, tileRows: Int,
    _ context: LayerContext
  ) throws(RuntimeError) {
    self.input = input
    bitsPerTap = input.channels / groups
    self.outsideIsPlus = outsideIsPlus
    let depth = plan.taps * bitsPerTap
    let (denseWords, wordsPerTap) = ((depth + 63) / 64, (bitsPerTap + 63) / 64)
    let isAligned =
      groups == 1 ? 3 * plan.taps * wordsPerTap <= 4 * denseWords : bitsPerTap % 64 == 0
    let outside = try context.expandedBits([outsideIsPlus], channels: bitsPerTap).memory
    let rows =
      isAligned
      ? try WindowRows(
        plan, elementBytes: 8, pixelElements: input.words, tapElements: wordsPerTap,
        outside: outside, context) : nil
    let bytes: Int
    if let rows {
      layout = .inPlace(rows)
      offsets = rows.offsets
      (words, run) = (plan.taps * wordsPerTap, bitsPerTap)
      bytes = rows.scratchBytes(rows: tileRows)
    } else {
      layout = .gathered(context.kernels.gather, plan.imageWindow)
      offsets = try context.consecutive(denseWords)
      (words, run) = (denseWords, depth)
      bytes = tileRows * denseWords * 8
    }
    var regions = RegionLayout()
    pointersOffset = regions.add(tileRows * MemoryLayout<UnsafePointer<UInt64>?>.stride)
    bitsOffset = regions.add(bytes)
    scratchBytes = regions.byteCount
  }

  /// The rows of a group. They hold until the scratch is used again.
  func rows(
    _ positions: Range<Int>, group: Int, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) -> BitRows {
    let source = UnsafePointer(input.bits(execution))
    let pointers = (scratch + pointersOffset)
      .assumingMemoryBound(to: UnsafePointer<UInt64>?.self)
    switch layout {
    case .inPlace(let rows):
      rows.fill(
        pointers, source + group * bitsPerTap / 64, positions: positions,
        scratch: scratch + bitsOffset)
    case .gathered(let gather, let window):
      let bits = (scratch + bitsOffset).assumingMemoryBound(to: UInt64.self)
      if words > 0 {
        gather.bits(
          window, source,
          .init(pixelSize: input.words, first: group * bitsPerTap, count: bitsPerTap),
          outside: outsideIsPlus, positions: positions, to: bits, rowWords: words)
      }
      for index in 0..<positions.count { pointers[index] = UnsafePointer(bits) + index * words }
    }
    return BitRows(
      count: positions.count, words: words, rows: UnsafePointer(pointers),
      offsets: UnsafePointer(offsets.pointer))
  }
}
