import BNNTensor

/// The rows of numbers that a convolution multiplies: what the window of each output position sees,
/// where it lies, or gathered where windows are larger than images.
struct FloatRowSource {
  private let input: Buffer
  private let layout: Layout
  private let offsets: ParameterList<UInt32>
  private let channelsPerGroup: Int
  private let depth: Int
  private let pointersOffset: Int
  private let numbersOffset: Int
  let scratchBytes: Int
  /// How many positions `rows` is asked for at most.
  let tileRows: Int

  /// What copies at borders may take, unless a tile of a kernel needs more.
  private static let mostCopiedBytes = 192 << 10

  private enum Layout {
    case inPlace(WindowRows)
    case gathered(GatherKernel, ImageWindow)
  }

  /// - Parameters:
  ///   - tileRows: as many positions as are wanted at a time.
  ///   - multiple: of which a multiple is wanted where not all are.
  init(
    _ input: Buffer, _ plan: WindowPlan, groups: Int, tileRows: Int, multiple: Int,
    _ context: LayerContext
  ) throws(RuntimeError) {
    self.input = input
    var tileRows = tileRows
    channelsPerGroup = input.channels / groups
    depth = plan.taps * channelsPerGroup
    let zeros = try context.budget.allocate(channelsPerGroup * 4)
    let bytes: Int
    if let rows = try WindowRows(
      plan, elementBytes: 4, pixelElements: input.channels, tapElements: channelsPerGroup,
      outside: zeros, context)
    {
      layout = .inPlace(rows)
      offsets = rows.offsets
      while tileRows > multiple,
        rows.scratchBytes(rows: tileRows) > FloatRowSource.mostCopiedBytes
      {
        tileRows = max(multiple, tileRows - multiple)
      }
      bytes = rows.scratchBytes(rows: tileRows)
    } else {
      layout = .gathered(context.kernels.gather, plan.imageWindow)
      offsets = try context.consecutive(depth)
      bytes = tileRows * depth * 4
    }
    self.tileRows = tileRows
    var regions = RegionLayout()
    pointersOffset = regions.add(tileRows * MemoryLayout<UnsafePointer<Float>?>.stride)
    numbersOffset = regions.add(bytes)
    scratchBytes = regions.byteCount
  }

  /// The rows of a group. They hold until the scratch is used again.
  func rows(
    _ positions: Range<Int>, group: Int, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) -> FloatRows {
    let source = UnsafePointer(input.floats(execution))
    let pointers = (scratch + pointersOffset)
      .assumingMemoryBound(to: UnsafePointer<Float>?.self)
    switch layout {
    case .inPlace(let rows):
      rows.fill(
        pointers, source + group * channelsPerGroup, positions: positions,
        scratch: scratch + numbersOffset)
    case .gathered(let gather, let window):
      let numbers = (scratch + numbersOffset).assumingMemoryBound(to: Float.self)
      if depth > 0 {
        gather.floats(
          window, source,
          .init(
            pixelSize: input.channels, first: group * channelsPerGroup, count: channelsPerGroup),
          positions: positions, to: numbers)
      }
      for index in 0..<positions.count { pointers[index] = UnsafePointer(numbers) + index * depth }
    }
    return FloatRows(
      count: positions.count, depth: depth, rows: UnsafePointer(pointers),
      offsets: UnsafePointer(offsets.pointer))
  }
}
