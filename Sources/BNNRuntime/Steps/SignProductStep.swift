import BNNTensor

/// Products of signs, element by element.
final class SignProductStep: ExecutionStep {
  private let inputs: [Buffer]
  private let output: Buffer

  init(_ context: LayerContext) {
    inputs = context.inputs
    output = context.outputs[0]
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    let words = output.words
    guard words > 0 else { return }
    // The bits after the last element of a row stay 0.
    let used = output.channels % 64
    let last = used == 0 ? UInt64.max : (1 << UInt64(used)) - 1
    execution.pool.run(output.rows, grain: max(1, 4096 / words)) { rows, _ in
      for row in rows {
        let a = UnsafePointer(inputs[0].bits(execution)) + row * words
        let b = UnsafePointer(inputs[1].bits(execution)) + row * words
        let y = output.bits(execution) + row * words
        for word in 0..<words { y[word] = ~(a[word] ^ b[word]) }
        y[words - 1] &= last
      }
    }
  }
}
