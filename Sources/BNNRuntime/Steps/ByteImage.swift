import BNNFormat
import BNNTensor

/// The input of a quantized convolution as bytes, with its padding written out, so that every window
/// lies inside and is read where it lies.
///
/// Kernels take four bytes at a time. What is contiguous in a window, a line of it or the channels of
/// a tap, is read in groups of four; the last group may end in bytes that belong to something else,
/// which meet weights of 0.
final class ByteImage {
  private let input: Buffer
  private let kernel: ByteProductKernel
  private let quantization: InputQuantization
  private let gather: GatherKernel
  private let window: ImageWindow
  private let places: RowPlaces
  private let memory: AlignedMemory
  private let pixelBytes: Int
  private let channelsPerGroup: Int
  /// Lines of the input and of the padded image, [z, y]; where the first lies in its image.
  private let lines: (images: Int, z: Int, y: Int)
  private let paddedLines: (z: Int, y: Int)
  private let padsBegin: [Int]
  private let lineBytes: Int
  private let paddedLineBytes: Int

  /// The bytes of a window that are contiguous, and how many such runs it has.
  let run: Int
  let runs: Int
  /// Where the groups of four bytes of a window are, from its first byte.
  private let offsets: ParameterList<UInt32>
  /// Groups of four bytes of a window.
  let depth: Int

  init(
    _ input: Buffer, _ plan: WindowPlan, groups: Int, _ quantization: InputQuantization,
    _ context: LayerContext
  ) throws(RuntimeError) {
    self.input = input
    self.quantization = quantization
    kernel = context.kernels.byteProduct
    gather = context.kernels.gather
    pixelBytes = input.channels
    channelsPerGroup = input.channels / groups
    let padded = (0..<3).map { plan.input[$0] + plan.padsBegin[$0] + plan.padsEnd[$0] }
    window = ImageWindow(
      input: padded, output: plan.output, kernel: plan.kernel, strides: plan.strides,
      dilations: plan.dilations, padsBegin: [0, 0, 0])
    places = RowPlaces(window, pixelBytes: pixelBytes, copiedBytes: channelsPerGroup)
    lines = (plan.images, plan.input[0], plan.input[1])
    paddedLines = (padded[0], padded[1])
    padsBegin = plan.padsBegin
    lineBytes = plan.input[2] * pixelBytes
    paddedLineBytes = padded[2] * pixelBytes

    let byteCount = StepWork.product(plan.images, padded[0], padded[1], padded[2], pixelBytes)
    // The last group of a window may end after the image.
    guard byteCount <= Int.max - 4 else {
      throw .tooLarge(bytes: nil, limit: context.budget.limit)
    }
    memory = try context.budget.allocate(byteCount + 4)
    // Padding stays what it is.
    memory.pointer(to: UInt8.self).update(repeating: quantization.zero, count: byteCount)

    let joinsLine = groups == 1 && plan.dilations[2] == 1
    let taps = joinsLine ? 1 : plan.kernel[2]
    run = joinsLine ? plan.kernel[2] * pixelBytes : channelsPerGroup
    runs = plan.kernel[0] * plan.kernel[1] * taps
    let groupsPerRun = (run + 3) / 4
    depth = runs * groupsPerRun
    offsets = ParameterList(memory: try context.budget.allocate(depth * 4))
    var next = offsets.pointer
    for z in 0..<plan.kernel[0] {
      for y in 0..<plan.kernel[1] {
        let line = (z * plan.dilations[0] * padded[1] + y * plan.dilations[1]) * paddedLineBytes
        for x in 0..<taps {
          let first = line + x * plan.dilations[2] * pixelBytes
          guard first + groupsPerRun * 4 <= UInt32.max else {
            throw .tooLarge(bytes: byteCount, limit: Int(UInt32.max))
          }
          for group in 0..<groupsPerRun { next[group] = UInt32(first + group * 4) }
          next += groupsPerRun
        }
      }
    }
  }

  /// Turns the input into bytes.
  func fill(_ execution: Execution) {
    let from = UnsafePointer(input.floats(execution))
    // Short lines are not worth a thread's while one by one.
    let grain = max(1, 16384 / max(lineBytes, 1))
    execution.pool.run(lines.images * lines.z * lines.y, grain: grain) { lines, _ in
      for line in lines {
        let y = line % self.lines.y
        let z = line / self.lines.y % self.lines.z
        let image = line / (self.lines.y * self.lines.z)
        let place =
          (image * paddedLines.z + z + padsBegin[0]) * paddedLines.y + y + padsBegin[1]
        let to =
          memory.pointer(to: UInt8.self) + place * paddedLineBytes + padsBegin[2] * pixelBytes
        kernel.quantize(
          lineBytes, from + line * lineBytes, inverseScale: quantization.inverseScale,
          zero: quantization.zero, to: to)
      }
    }
  }

  static func scratchBytes(rows: Int) -> Int { rows * MemoryLayout<UnsafePointer<UInt8>?>.stride }

  /// The rows of a group. They hold until the scratch is used again.
  func rows(
    _ positions: Range<Int>, group: Int, scratch: UnsafeMutableRawPointer
  ) -> ByteRows {
    // Nothing is outside, so nothing is gathered.
    gather.rows(
      window, memory.base + group * channelsPerGroup, pixelBytes: pixelBytes,
      tapBytes: channelsPerGroup, outside: memory.base, positions: positions,
      to: scratch.assumingMemoryBound(to: UnsafeRawPointer?.self), scratch: scratch, places)
    return ByteRows(
      count: positions.count, depth: depth,
      rows: UnsafePointer(scratch.assumingMemoryBound(to: UnsafePointer<UInt8>?.self)),
      offsets: UnsafePointer(offsets.pointer))
  }
}
