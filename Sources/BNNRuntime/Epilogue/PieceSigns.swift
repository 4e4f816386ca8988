/// The signs of a value that a layer makes with a piece of that value.
///
/// It holds nothing that is counted by reference, because it is used for every few rows; who uses it
/// keeps the program.
struct PieceSigns {
  private let program: Unmanaged<EpilogueProgram>
  private let offset: Int
  private let rowStep: Int
  private let channels: Int
  /// The first channel of the piece.
  private let channel: Int

  /// - Parameter program: is only referred to.
  init(_ program: EpilogueProgram, input: Buffer, channel: Int) {
    self.program = Unmanaged.passUnretained(program)
    (offset, rowStep, channels) = (input.offset, input.rowStep, input.channels)
    self.channel = channel
  }

  /// Tests some channels of the piece.
  ///
  /// They are widened to steps of channels, of which others may belong to pieces that do not exist
  /// yet: whatever makes those tests the same step again.
  func make(rows: Range<Int>, channels: Range<Int>, _ execution: Execution) {
    let step = EpilogueKernel.channelStep
    let first = (channel + channels.lowerBound) / step * step
    let end = (channel + channels.upperBound + step - 1) / step * step
    let values = (execution.arena + offset).assumingMemoryBound(to: Float.self)
    program._withUnsafeGuaranteedRef {
      $0.test(
        rows: rows, channels: first..<min(end, self.channels),
        values: UnsafePointer(values) + rows.lowerBound * rowStep + first, step: rowStep,
        execution)
    }
  }
}
