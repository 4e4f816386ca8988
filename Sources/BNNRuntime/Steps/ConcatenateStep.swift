import BNNTensor

/// Joins values along an axis. What was made in its place stays there.
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
    if axis != output.shape.rank - 1 || (output.type != .sign && output.type != .float32) {
      joinBlocks(execution)
    } else if output.type == .sign {
      joinBits(execution)
    } else {
      joinNumbers(execution)
    }
  }

  /// float32 along the last axis, where rows may be parts of longer ones.
  private func joinNumbers(_ execution: Execution) {
    var channel = 0
    for input in inputs {
      let offset = output.offset + channel * 4
      channel += input.channels
      if input.offset == offset, input.rowStep == output.rowStep { continue }
      let from = execution.arena + input.offset
      let to = execution.arena + offset
      let bytes = input.channels * 4
      execution.pool.run(output.rows, grain: max(1, 16384 / max(bytes, 1))) { rows, _ in
        for row in rows {
          (to + row * output.rowStep * 4).copyMemory(
            from: from + row * input.rowStep * 4, byteCount: bytes)
        }
      }
    }
  }

  /// Bits along the last axis: every row of the output holds a row of each input.
  private func joinBits(_ execution: Execution) {
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
