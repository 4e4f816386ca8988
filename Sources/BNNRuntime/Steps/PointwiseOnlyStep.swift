import BNNTensor

/// The epilogue of nothing.
final class PointwiseOnlyStep: TiledStep {
  private let input: Buffer
  private let kernels: Kernels
  private let epilogue: EpilogueProgram
  let tileRows: Int

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
  var rowCount: Int { input.rows }
  var work: StepWork { StepWork(kernel: kernels.pointwise.name) }

  func compute(
    _ rows: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let source = UnsafePointer(input.floats(execution))
    epilogue.finish(
      rows: rows, values: source + rows.lowerBound * input.rowStep, step: input.rowStep,
      scratch: scratch, execution)
  }
}
