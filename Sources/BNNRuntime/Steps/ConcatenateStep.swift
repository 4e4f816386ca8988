import BNNTensor

/// Joins values along an axis.
final class ConcatenateStep: ExecutionStep {
  private let inputs: [Buffer]
  private let output: Buffer
  private let axis: Int

  init(axis: Int, _ context: LayerContext) {
    self.axis = axis
    inputs = context.inputs
    output = context.outputs[0]
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    if output.type == .sign, axis == output.shape.rank - 1 {
      joinRows(execution)
    } else {
      joinBlocks(execution)
    }
  }

  /// Bits along the last axis: every row of the output holds a row of each input.
  private func joinRows(_ execution: Execution) {
    let words = output.words
    execution.pool.run(output.rows, grain: 256) { rows, _ in
      for row in rows {
        let to = output.bits(execution) + row * words
        // The bits after the last one stay 0.
        to.update(repeating: 0, count: words)
        var at = 0
        for input in inputs {
          BitKernel.copy(
            input.channels, from: input.bits(execution) + row * input.words, at: 0, to: to, at: at)
          at += input.channels
        }
      }
    }
  }

  /// Everything else: blocks of whole elements or of whole rows of bits.
  private func joinBlocks(_ execution: Execution) {
    let blocks = output.shape.dimensions[..<axis].reduce(1, *)
    let outputBytes = output.byteCount / blocks
    var offset = 0
    for input in inputs {
      let bytes = input.byteCount / blocks
      let from = execution.arena + input.offset
      let to = execution.arena + output.offset + offset
      execution.pool.run(blocks, grain: max(1, 16384 / max(bytes, 1))) { blocks, _ in
        for block in blocks {
          (to + block * outputBytes).copyMemory(from: from + block * bytes, byteCount: bytes)
        }
      }
      offset += bytes
    }
  }
}
