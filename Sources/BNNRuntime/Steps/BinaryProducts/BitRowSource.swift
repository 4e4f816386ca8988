import BNNTensor

/// The rows of bits that a binary convolution multiplies: what the window of each output position
/// sees.
///
/// Rows are read where they lie where taps are whole halves of words, or the gaps between taps cost
/// less than gathering bits without gaps.
struct BitRowSource {
  private let input: Buffer
  private let layout: Layout
  private let offsets: ParameterList<UInt32>
  private let bitsPerTap: Int
  private let outsideIsPlus: Bool
  /// Halves of words in a row.
  let halves: Int
  /// The bits in a row that begin on a half: those of a tap, or all.
  let run: Int
  private let pointersOffset: Int
  private let bitsOffset: Int
  let scratchBytes: Int

  private enum Layout {
    case inPlace(WindowRows)
    case gathered(GatherKernel, ImageWindow)
  }

  init(
    _ input: Buffer, _ plan: WindowPlan, groups: Int, outputsPerGroup: Int, outsideIsPlus: Bool,
    tileRows: Int, kernel: BinaryProductKernel, _ context: LayerContext
  ) throws(RuntimeError) {
    self.input = input
    bitsPerTap = input.channels / groups
    self.outsideIsPlus = outsideIsPlus
    let depth = plan.taps * bitsPerTap
    let (denseHalves, halvesPerTap) = ((depth + 31) / 32, (bitsPerTap + 31) / 32)
    let gaps = StepWork.product(plan.taps * halvesPerTap - denseHalves, outputsPerGroup)
    // Taps of one or two bytes are moved at once; those of several words that do not end at a byte
    // take longest.
    let isWholeBytes = bitsPerTap % 8 == 0
    let effort =
      isWholeBytes ? (bitsPerTap <= 16 ? 1 : 2) : (bitsPerTap > 64 ? 3 : 1)
    let isWorthIt = gaps <= effort * kernel.halvesPerGather
    let isAligned = groups == 1 ? isWorthIt : bitsPerTap % 32 == 0
    let outside = try context.expandedBits([outsideIsPlus], channels: input.channels).memory
    let rows =
      isAligned
      ? try WindowRows(
        plan, elementBytes: 4, pixelElements: 2 * input.words, tapElements: halvesPerTap,
        copiedElements: groups == 1 ? nil : 2 * input.words, outside: outside, context) : nil
    let bytes: Int
    if let rows {
      layout = .inPlace(rows)
      offsets = rows.offsets
      (halves, run) = (plan.taps * halvesPerTap, bitsPerTap)
      bytes = rows.scratchBytes(rows: tileRows)
    } else {
      layout = .gathered(context.kernels.gather, plan.imageWindow)
      offsets = try context.consecutive(denseHalves)
      (halves, run) = (denseHalves, depth)
      bytes = tileRows * ((depth + 63) / 64) * 8
    }
    var regions = RegionLayout()
    pointersOffset = regions.add(tileRows * MemoryLayout<UnsafePointer<UInt32>?>.stride)
    bitsOffset = regions.add(bytes)
    scratchBytes = regions.byteCount
  }

  /// The rows of the group that was prepared last.
  func rows(_ positions: Range<Int>, scratch: UnsafeMutableRawPointer) -> BitRows {
    let pointers = (scratch + pointersOffset)
      .assumingMemoryBound(to: UnsafePointer<UInt32>?.self)
    return BitRows(
      count: positions.count, halves: halves, rows: UnsafePointer(pointers),
      offsets: UnsafePointer(offsets.pointer))
  }

  /// How many halves of words groups lie apart; nil where the rows of one do not tell where those of
  /// another are.
  var halvesOfGroup: Int? {
    if case .inPlace = layout { bitsPerTap / 32 } else { nil }
  }

  /// Prepares the rows of a group, after those of the one `step` before it unless they are the
  /// first. They hold until the scratch is used again.
  func prepare(
    _ positions: Range<Int>, group: Int, isStart: Bool, step: Int,
    scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let source = UnsafePointer(input.bits(execution))
    let pointers = (scratch + pointersOffset)
      .assumingMemoryBound(to: UnsafePointer<UInt32>?.self)
    switch layout {
    case .inPlace(let rows):
      if isStart {
        rows.fill(
          pointers, UnsafeRawPointer(source).assumingMemoryBound(to: UInt32.self),
          positions: positions, scratch: scratch + bitsOffset)
      }
      // Rows have whole pixels, of which a group sees a part.
      let groups = isStart ? group : step
      if groups > 0 { pointers.advanceAll(positions.count, by: groups * (bitsPerTap / 32)) }
    case .gathered(let gather, let window):
      let bits = scratch + bitsOffset
      let words = (halves + 1) / 2
      if words > 0 {
        gather.bits(
          window, source,
          .init(pixelSize: input.words, first: group * bitsPerTap, count: bitsPerTap),
          outside: outsideIsPlus, positions: positions,
          to: bits.assumingMemoryBound(to: UInt64.self), rowWords: words)
      }
      let first = UnsafePointer(bits.assumingMemoryBound(to: UInt32.self))
      for index in 0..<positions.count { pointers[index] = first + index * 2 * words }
    }
  }
}

extension UnsafeMutablePointer {
  /// Moves each of `count` pointers, none of which is nil, by some elements.
  func advanceAll<Element>(
    _ count: Int, by step: Int
  ) where Pointee == UnsafePointer<Element>? {
    let bytes = step * MemoryLayout<Element>.stride
    withMemoryRebound(to: Int.self, capacity: count) { addresses in
      for index in 0..<count { addresses[index] &+= bytes }
    }
  }
}
