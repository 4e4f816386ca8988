/// The signs of a value that a layer makes with a piece of that value.
struct PieceSigns {
  private let program: EpilogueProgram
  private let input: Buffer
  /// The first channel of the piece.
  private let channel: Int

  init(_ program: EpilogueProgram, input: Buffer, channel: Int) {
    (self.program, self.input, self.channel) = (program, input, channel)
  }

  /// Tests some channels of the piece.
  ///
  /// They are widened to steps of channels, of which others may belong to pieces that do not exist
  /// yet: whatever makes those tests the same step again.
  func make(rows: Range<Int>, channels: Range<Int>, _ execution: Execution) {
    let step = EpilogueKernel.channelStep
    let first = (channel + channels.lowerBound) / step * step
    let end = (channel + channels.upperBound + step - 1) / step * step
    program.finish(
      rows: rows, channels: first..<min(end, input.channels),
      values: UnsafePointer(input.floats(execution)) + rows.lowerBound * input.rowStep + first,
      step: input.rowStep, execution)
  }
}
