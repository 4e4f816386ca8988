import BNNTensor

/// The epilogue of nothing.
final class PointwiseOnlyStep: LineStep {
  private let input: Buffer
  private let kernels: Kernels
  private let epilogue: EpilogueProgram
  private let tileRows: Int

  /// - Parameter context: that of a pointwise layer.
  init(_ context: LayerContext) throws(RuntimeError) {
    guard case .pointwise(let epilogue) = context.layer.operation
    else { preconditionFailure("no pointwise layer") }
    input = context.inputs[0]
    kernels = context.kernels
    self.epilogue = try EpilogueProgram(epilogue, context)
    tileRows = max(1, 4096 / max(input.channels, 1))
  }

  var scratchBytes: Int { epilogue.scratchBytes(rows: tileRows) }
  let linesAtOnce = 1
  var work: StepWork { StepWork(kernel: kernels.pointwise.name) }

  func run(_ execution: Execution) {
    let tiles = (input.rows + tileRows - 1) / tileRows
    execution.pool.run(tiles) { tiles, worker in
      for tile in tiles {
        let rows = (tile * tileRows)..<min((tile + 1) * tileRows, input.rows)
        finish(rows, scratch: execution.scratch(worker), execution)
      }
    }
  }

  func run(rows: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution) {
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: tileRows) {
      let tile = first..<min(first + tileRows, rows.upperBound)
      finish(tile, scratch: scratch, execution)
    }
  }

  private func finish(
    _ rows: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let source = UnsafePointer(input.floats(execution))
    epilogue.finish(
      rows: rows, values: source + rows.lowerBound * input.rowStep, step: input.rowStep,
      scratch: scratch, execution)
  }
}
