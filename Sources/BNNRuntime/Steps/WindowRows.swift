import BNNTensor

/// What the window of each output position sees, as rows that are read where they lie: the same
/// elements after the first one for every position. Only positions at borders are copied.
///
/// A class, because it is handed on for every tile.
final class WindowRows {
  private let window: ImageWindow
  private let isIdentity: Bool
  private let gather: GatherKernel
  private let pixelBytes: Int
  /// What is copied of a pixel.
  private let copiedBytes: Int
  /// What a line of taps outside sees.
  private let outside: AlignedMemory
  /// Where the elements of a row are, from its first one.
  let offsets: ParameterList<UInt32>
  private let places: RowPlaces

  /// Rows whose elements are further apart are not worth it: their scratch takes as much.
  private static let longestRow = 5 << 15

  /// Elements have `elementBytes`; taps are the first `tapElements` of pixels, or of a part of them.
  /// Of pixels at borders as many are copied, or more where what follows is used, too; `outside` is
  /// what they are outside.
  ///
  /// - Returns: nil where rows have to be gathered. That does not depend on the batch, because the
  ///   layout of weights may follow from it.
  init?(
    _ plan: WindowPlan, elementBytes: Int, pixelElements: Int, tapElements: Int,
    copiedElements: Int? = nil, outside: AlignedMemory, _ context: LayerContext
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
    let copied = copiedElements ?? tapElements
    copiedBytes = copied * elementBytes
    self.outside = try context.budget.allocate(plan.kernel[2] * copiedBytes)
    for tap in 0..<plan.kernel[2] {
      (self.outside.base + tap * copiedBytes).copyMemory(
        from: outside.base, byteCount: copiedBytes)
    }
    places = RowPlaces(window, pixelBytes: pixelBytes, copiedBytes: copiedBytes)
  }

  func scratchBytes(rows: Int) -> Int { places.bytes(rows: rows) }

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
          window, input, pixelBytes: pixelBytes, tapBytes: copiedBytes, outside: outside.base,
          positions: positions, to: $0, scratch: scratch, places)
      }
    }
  }
}
