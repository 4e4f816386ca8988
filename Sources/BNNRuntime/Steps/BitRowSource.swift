import BNNTensor

/// The rows of bits that a binary convolution multiplies: what the window of each output position
/// sees.
///
/// Rows are read where they lie, tap by tap, where taps are whole words (or nearly so: the words of
/// 48 channels are mostly full); otherwise their bits are gathered without gaps.
struct BitRowSource {
  private let input: Buffer
  private let isIdentity: Bool
  private let window: ImageWindow
  private let gather: GatherKernel
  private let bitsPerTap: Int
  private let outsideIsPlus: Bool
  private let layout: Layout
  private let offsets: ParameterList<UInt32>
  /// Words of a row.
  let words: Int
  /// The bits in a row that begin on a word: those of a tap, or all.
  let run: Int
  private let scratch: Scratch
  let scratchBytes: Int

  private enum Layout {
    case inPlace(wordsPerTap: Int, outside: ParameterList<UInt64>, scratchWords: Int)
    case gathered
  }

  private struct Scratch {
    let pointers: Int
    let bits: Int
  }

  /// Rows whose words are further apart are gathered: their scratch would leave the caches. The
  /// same for every batch, because the layout of weights follows from it.
  private static let longestRow = 512

  init(
    _ input: Buffer, _ plan: WindowPlan, groups: Int, outsideIsPlus: Bool, tileRows: Int,
    _ context: LayerContext
  ) throws(RuntimeError) {
    self.input = input
    isIdentity = plan.isIdentity
    window = plan.imageWindow
    gather = context.kernels.gather
    bitsPerTap = input.channels / groups
    self.outsideIsPlus = outsideIsPlus
    let depth = plan.taps * bitsPerTap
    let (denseWords, wordsPerTap) = ((depth + 63) / 64, (bitsPerTap + 63) / 64)
    let tapWords = plan.taps * wordsPerTap
    // Taps of a window that is larger than the image would fall on each other.
    let fits = (1..<3).allSatisfy { (plan.kernel[$0] - 1) * plan.dilations[$0] < plan.input[$0] }
    let isAligned =
      fits && (groups == 1 ? 3 * tapWords <= 4 * denseWords : bitsPerTap % 64 == 0)
    var scratchWords = 0
    var offsets = ParameterList<UInt32>(
      memory: try context.budget.allocate(max(denseWords, isAligned ? tapWords : 0) * 4))
    if isAligned, tapWords > 0 {
      scratchWords = window.offsets(
        pixelWords: input.words, words: wordsPerTap, into: offsets.pointer)
    }
    if isAligned, scratchWords <= BitRowSource.longestRow {
      let outside = try context.expandedBits([outsideIsPlus], channels: bitsPerTap)
      layout = .inPlace(wordsPerTap: wordsPerTap, outside: outside, scratchWords: scratchWords)
      (words, run) = (tapWords, bitsPerTap)
    } else {
      layout = .gathered
      (words, run, scratchWords) = (denseWords, depth, denseWords)
      offsets = ParameterList(memory: try context.budget.allocate(denseWords * 4))
      for word in 0..<denseWords { offsets.pointer[word] = UInt32(word) }
    }
    self.offsets = offsets
    var regions = RegionLayout()
    scratch = Scratch(
      pointers: regions.add(tileRows * MemoryLayout<UnsafePointer<UInt64>?>.stride),
      bits: regions.add(tileRows * scratchWords * 8))
    scratchBytes = regions.byteCount
  }

  /// The rows of a group. They hold until the scratch is used again.
  func rows(
    _ positions: Range<Int>, group: Int, scratch memory: UnsafeMutableRawPointer,
    _ execution: Execution
  ) -> BitRows {
    let source = UnsafePointer(input.bits(execution))
    let pointers = (memory + scratch.pointers)
      .assumingMemoryBound(to: UnsafePointer<UInt64>?.self)
    let bits = (memory + scratch.bits).assumingMemoryBound(to: UInt64.self)
    switch layout {
    case .inPlace(let wordsPerTap, let outside, let scratchWords):
      let first = group * bitsPerTap / 64
      if isIdentity {
        for (index, position) in positions.enumerated() {
          pointers[index] = source + position * input.words + first
        }
      } else {
        gather.bitRows(
          window, source, pixelWords: input.words, firstWord: first, words: wordsPerTap,
          outside: outside.pointer, positions: positions, to: pointers, scratch: bits,
          scratchWords: scratchWords)
      }
    case .gathered:
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
