import BNNTensor

/// Bits as real values +1 and −1.
final class UnpackStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  private let kernels: Kernels

  init(_ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    kernels = context.kernels
  }

  var work: StepWork { StepWork(kernel: kernels.bits.name) }

  func run(_ execution: Execution) {
    execution.pool.run(input.rows, grain: max(1, 4096 / max(input.channels, 1))) { rows, _ in
      kernels.bits.unpack(
        rows: rows.count, channels: input.channels,
        input.bits(execution) + rows.lowerBound * input.words,
        to: output.floats(execution) + rows.lowerBound * output.channels)
    }
  }
}
