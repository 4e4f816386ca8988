import BNNFormat
import BNNTensor

/// OR of the bits of each window, AND in inverted channels. Taps outside do not count.
final class BinaryPoolStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  private let plan: WindowPlan
  private let window: ImageWindow
  private let kernels: Kernels
  private let inverted: ParameterList<UInt64>

  init(
    _ window: WindowGeometry, ceiling: Bool, inverted: [Bool], _ context: LayerContext
  ) throws(RuntimeError) {
    input = context.inputs[0]
    output = context.outputs[0]
    plan = try context.windowPlan(window, ceiling: ceiling)
    self.window = plan.imageWindow
    kernels = context.kernels
    self.inverted = try context.expandedBits(inverted, channels: input.channels)
  }

  var work: StepWork { StepWork(kernel: kernels.bits.name) }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    execution.pool.run(plan.positions / plan.output[2], grain: 1) { lines, _ in
      for line in lines { pool(line: line, execution) }
    }
  }

  /// A line of output positions, one tap at a time.
  private func pool(line: Int, _ execution: Execution) {
    let (words, columns) = (input.words, plan.output[2])
    let source = UnsafePointer(input.bits(execution))
    let to = output.bits(execution) + line * columns * words
    // OR begins with 0 and AND with 1: the inverted channels.
    for column in 0..<columns { (to + column * words).update(from: inverted.pointer, count: words) }
    let taps = window.taps(at: line * columns)
    for kz in taps.z.first..<taps.z.end {
      let z = taps.image * plan.input[0] + taps.z.origin + kz * plan.dilations[0]
      for ky in taps.y.first..<taps.y.end {
        let from = (z * plan.input[1] + taps.y.origin + ky * plan.dilations[1]) * plan.input[2]
        for kx in 0..<plan.kernel[2] {
          let seen = columnsInside(kx)
          guard !seen.isEmpty else { continue }
          let pixel =
            from + seen.lowerBound * plan.strides[2] - plan.padsBegin[2] + kx * plan.dilations[2]
          kernels.bits.pool(
            rows: seen.count, words: words, source + pixel * words, step: plan.strides[2] * words,
            inverted: inverted.pointer, into: to + seen.lowerBound * words)
        }
      }
    }
  }

  /// The positions of a line whose tap of this column lies in the input.
  private func columnsInside(_ kx: Int) -> Range<Int> {
    let (stride, shift) = (plan.strides[2], kx * plan.dilations[2] - plan.padsBegin[2])
    let first = shift < 0 ? (stride - 1 - shift) / stride : 0
    let end = shift < plan.input[2] ? (plan.input[2] - 1 - shift) / stride + 1 : 0
    let last = min(plan.output[2], end)
    return first < last ? first..<last : 0..<0
  }
}
