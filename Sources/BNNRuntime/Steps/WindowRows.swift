import BNNTensor

/// What the window of each output position sees, as rows that are read where they lie: the same
/// elements after the first one for every position. Only positions at borders are copied.
struct WindowRows {
  private let window: ImageWindow
  private let isIdentity: Bool
  private let gather: GatherKernel
  private let pixelBytes: Int
  private let tapBytes: Int
  /// What a line of taps outside sees.
  private let outside: AlignedMemory
  /// Where the elements of a row are, from its first one.
  let offsets: ParameterList<UInt32>
  private let scratchBytesPerRow: Int

  /// Rows whose elements are further apart are not worth it: their scratch would leave the caches.
  private static let longestRow = 1 << 15

  /// Elements have `elementBytes`; `outside` is what one tap outside sees; taps are the first `tapElements` of pixels, or of a part of them.
  ///
  /// - Returns: nil where rows have to be gathered. That does not depend on the batch, because the
  ///   layout of weights may follow from it.
  init?(
    _ plan: WindowPlan, elementBytes: Int, pixelElements: Int, tapElements: Int,
    outside: AlignedMemory, _ context: LayerContext
  ) throws(RuntimeError) {
    // Taps of a window that is larger than the image would fall on each other.
    let fits = (1..<3).allSatisfy { (plan.kernel[$0] - 1) * plan.dilations[$0] < plan.input[$0] }
    let (count, overflow) = plan.taps.multipliedReportingOverflow(by: tapElements)
    guard fits, !overflow, count > 0 else { return nil }
    window = plan.imageWindow
    offsets = ParameterList(memory: try context.budget.allocate(count * 4))
    let length = window.offsets(
      pixelElements: pixelElements, elements: tapElements, into: offsets.pointer)
    guard length <= WindowRows.longestRow / elementBytes else { return nil }
    isIdentity = plan.isIdentity
    gather = context.kernels.gather
    pixelBytes = pixelElements * elementBytes
    tapBytes = tapElements * elementBytes
    self.outside = try context.budget.allocate(plan.kernel[2] * tapBytes)
    for tap in 0..<plan.kernel[2] {
      (self.outside.base + tap * tapBytes).copyMemory(from: outside.base, byteCount: tapBytes)
    }
    scratchBytesPerRow = RegionLayout.aligned(length * elementBytes)
  }

  func scratchBytes(rows: Int) -> Int { rows * scratchBytesPerRow }

  /// Where the rows of positions begin. They hold until the scratch is used again.
  func fill<Element>(
    _ rows: UnsafeMutablePointer<UnsafePointer<Element>?>, _ input: UnsafePointer<Element>,
    positions: Range<Int>, scratch: UnsafeMutableRawPointer
  ) {
    if isIdentity {
      let step = pixelBytes / MemoryLayout<Element>.stride
      var next = input + positions.lowerBound * step
      for index in 0..<positions.count {
        rows[index] = next
        next += step
      }
    } else {
      UnsafeMutableRawPointer(rows).withMemoryRebound(
        to: UnsafeRawPointer?.self, capacity: positions.count
      ) {
        gather.rows(
          window, input, pixelBytes: pixelBytes, tapBytes: tapBytes, outside: outside.base,
          positions: positions, to: $0, scratch: scratch, scratchBytes: scratchBytesPerRow)
      }
    }
  }
}
