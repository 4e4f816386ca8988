import BNNTensor

/// A reshape of bits that changes the extent of the last axis: the bits of a value follow each
/// other without the gaps at the end of rows.
final class RepackStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer

  init(_ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    let from = UnsafePointer(input.bits(execution))
    execution.pool.run(output.rows, grain: 64) { rows, _ in
      for row in rows {
        let to = output.bits(execution) + row * output.words
        to.update(repeating: 0, count: output.words)
        var at = 0
        while at < output.channels {
          let (sourceRow, sourceBit) = (row * output.channels + at)
            .quotientAndRemainder(dividingBy: input.channels)
          let count = min(output.channels - at, input.channels - sourceBit)
          BitKernel.copy(
            count, from: from + sourceRow * input.words, at: sourceBit, to: to, at: at)
          at += count
        }
      }
    }
  }
}
