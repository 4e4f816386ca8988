import BNNTensor

/// Reorders the axes of a value.
final class TransposeStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  /// Extents of the output before its last axis, and the input's step in elements along each.
  private let extents: [Int]
  private let steps: [Int]
  /// The input's step along the output's last axis.
  private let lastStep: Int

  init(_ permutation: [Int], _ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    let strides = input.shape.strides
    let steps = permutation.map { strides[$0] }
    extents = output.shape.dimensions.dropLast()
    self.steps = steps.dropLast()
    lastStep = steps.last ?? 1
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    execution.pool.run(output.rows, grain: max(1, 4096 / output.channels)) { rows, _ in
      for row in rows {
        let from = source(of: row)
        if output.type == .sign {
          moveBits(row: row, from: from, execution)
        } else {
          moveFloats(row: row, from: from, execution)
        }
      }
    }
  }

  /// The index of the input's element that comes first in a row of the output.
  private func source(of row: Int) -> Int {
    var rest = row
    var index = 0
    for axis in extents.indices.reversed() {
      index += rest % extents[axis] * steps[axis]
      rest /= extents[axis]
    }
    return index
  }

  private func moveFloats(row: Int, from first: Int, _ execution: Execution) {
    let to = output.floats(execution) + row * output.channels
    let from = input.floats(execution) + first
    if lastStep == 1 {
      to.update(from: from, count: output.channels)
    } else {
      for channel in 0..<output.channels { to[channel] = from[channel * lastStep] }
    }
  }

  private func moveBits(row: Int, from first: Int, _ execution: Execution) {
    let to = output.bits(execution) + row * output.words
    let from = UnsafePointer(input.bits(execution))
    to.update(repeating: 0, count: output.words)
    if lastStep == 1, first % input.channels == 0, output.channels == input.channels {
      to.update(from: from + first / input.channels * input.words, count: output.words)
      return
    }
    for channel in 0..<output.channels {
      let (inputRow, bit) = (first + channel * lastStep)
        .quotientAndRemainder(dividingBy: input.channels)
      let word = from[inputRow * input.words + bit / 64]
      to[channel / 64] |= (word >> UInt64(bit % 64) & 1) << UInt64(channel % 64)
    }
  }
}
