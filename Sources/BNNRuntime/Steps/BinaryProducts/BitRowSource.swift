import BNNTensor

/// The rows of bits that a binary convolution multiplies: what the window of each output position
/// sees.
///
/// Rows are read where they lie where taps are whole halves of words, or the gaps between taps cost
/// less than gathering bits without gaps. Small images are copied with their padding first, where
/// one thread reads all of them; else rows at borders are.
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
    case padded(PaddedBits)
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
    // Whether rows have gaps between taps depends on no batch, as the layout of weights does.
    let padded =
      rows != nil && context.threads == 1 ? PaddedBits(plan, input, outside, context) : nil
    let bytes: Int
    if let padded {
      layout = .padded(padded)
      offsets = ParameterList(memory: try context.budget.allocate(plan.taps * halvesPerTap * 4))
      _ = padded.window.offsets(
        pixelElements: 2 * input.words, elements: halvesPerTap, into: offsets.pointer)
      (halves, run) = (plan.taps * halvesPerTap, bitsPerTap)
      bytes = padded.byteCount
    } else if let rows {
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
    if case .gathered = layout { nil } else { bitsPerTap / 32 }
  }

  /// Prepares the rows of a group, after those of the one `step` before it unless they are the
  /// first. They hold until the scratch is used again.
  ///
  /// - Parameters:
  ///   - isStart: before all other groups of these positions.
  ///   - isFirst: before all other positions of a worker.
  func prepare(
    _ positions: Range<Int>, group: Int, isStart: Bool, isFirst: Bool, step: Int,
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
      advance(pointers, positions.count, by: isStart ? group : step)
    case .padded(let padded):
      let image = (scratch + bitsOffset).assumingMemoryBound(to: UInt64.self)
      if isStart, isFirst { padded.copy(source, to: image) }
      if isStart {
        pointers.withMemoryRebound(to: UnsafeRawPointer?.self, capacity: positions.count) {
          padded.fill($0, image, positions: positions)
        }
      }
      advance(pointers, positions.count, by: isStart ? group : step)
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

  /// Rows have whole pixels, of which a group sees a part.
  private func advance(
    _ pointers: UnsafeMutablePointer<UnsafePointer<UInt32>?>, _ count: Int, by groups: Int
  ) {
    if groups > 0 { pointers.advanceAll(count, by: groups * (bitsPerTap / 32)) }
  }
}

/// Images of bits with their padding written out, so that every window lies in one piece.
private struct PaddedBits {
  let window: ImageWindow
  private let places: RowPlaces
  private let gather: GatherKernel
  private let plan: WindowPlan
  private let extents: [Int]
  private let pixelWords: Int
  /// What a pixel of the padding is.
  private let outside: AlignedMemory

  /// Copying more takes as long as copying what borders see, of which larger images have less.
  private static let mostBytes = 8 << 10

  /// - Returns: nil without padding, and of large images.
  init?(_ plan: WindowPlan, _ input: Buffer, _ outside: AlignedMemory, _ context: LayerContext) {
    let pads = plan.padsBegin + plan.padsEnd
    guard pads.contains(where: { $0 > 0 }), pads.allSatisfy({ $0 >= 0 && $0 < 1 << 10 })
    else { return nil }
    let extents = (0..<3).map { plan.input[$0] + plan.padsBegin[$0] + plan.padsEnd[$0] }
    let bytes = StepWork.product(plan.images, extents[0], extents[1], extents[2], input.words, 8)
    guard bytes > 0, bytes <= PaddedBits.mostBytes else { return nil }
    self.plan = plan
    self.extents = extents
    self.outside = outside
    pixelWords = input.words
    gather = context.kernels.gather
    window = ImageWindow(
      input: extents, output: plan.output, kernel: plan.kernel, strides: plan.strides,
      dilations: plan.dilations, padsBegin: [0, 0, 0])
    places = RowPlaces(window, pixelBytes: pixelWords * 8, copiedBytes: pixelWords * 8)
  }

  var byteCount: Int { plan.images * extents.reduce(1, *) * pixelWords * 8 }

  func copy(_ source: UnsafePointer<UInt64>, to target: UnsafeMutablePointer<UInt64>) {
    let lineWords = plan.input[2] * pixelWords
    let (before, line) = (plan.padsBegin[2] * pixelWords, extents[2] * pixelWords)
    var (from, to) = (source, target)
    for _ in 0..<plan.images {
      for z in 0..<extents[0] {
        let isPlaneInside = z >= plan.padsBegin[0] && z - plan.padsBegin[0] < plan.input[0]
        for y in 0..<extents[1] {
          if isPlaneInside, y >= plan.padsBegin[1], y - plan.padsBegin[1] < plan.input[1] {
            pad(to, before)
            (to + before).update(from: from, count: lineWords)
            pad(to + before + lineWords, line - before - lineWords)
            from += lineWords
          } else {
            pad(to, line)
          }
          to += line
        }
      }
    }
  }

  /// Writes pixels of the padding.
  private func pad(_ to: UnsafeMutablePointer<UInt64>, _ words: Int) {
    let pixel = outside.pointer(to: UInt64.self)
    var word = 0
    while word < words {
      for index in 0..<pixelWords { to[word + index] = pixel[index] }
      word += pixelWords
    }
  }

  /// Where the rows of positions begin; none is at a border.
  func fill(
    _ rows: UnsafeMutablePointer<UnsafeRawPointer?>, _ image: UnsafePointer<UInt64>,
    positions: Range<Int>
  ) {
    gather.rows(
      window, image, pixelBytes: pixelWords * 8, tapBytes: 0, outside: image, positions: positions,
      to: rows, scratch: UnsafeMutableRawPointer(mutating: image), places)
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
