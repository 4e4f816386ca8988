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
    do {
      plan = try WindowPlan(window, input: input.shape, ceiling: ceiling)
    } catch {
      throw context.fault(error)
    }
    self.window = plan.imageWindow
    kernels = context.kernels
    self.inverted = try context.expandedBits(inverted, channels: input.channels)
  }

  var work: StepWork { StepWork(kernel: kernels.bits.name) }

  func run(_ execution: Execution) {
    execution.pool.run(plan.positions, grain: 64) { positions, _ in
      for position in positions {
        pool(position, to: output.bits(execution) + position * output.words, execution)
      }
    }
  }

  private func pool(_ position: Int, to y: UnsafeMutablePointer<UInt64>, _ execution: Execution) {
    let words = input.words
    let source = UnsafePointer(input.bits(execution))
    let taps = window.taps(at: position)
    // OR begins with 0 and AND with 1: the inverted channels.
    y.update(from: inverted.pointer, count: words)
    for kz in taps.z.first..<taps.z.end {
      let z = taps.image * plan.input[0] + taps.z.origin + kz * plan.dilations[0]
      for ky in taps.y.first..<taps.y.end {
        let line = z * plan.input[1] + taps.y.origin + ky * plan.dilations[1]
        for kx in taps.x.first..<taps.x.end {
          let pixel = line * plan.input[2] + taps.x.origin + kx * plan.dilations[2]
          kernels.bits.pool(
            words: words, source + pixel * words, inverted: inverted.pointer, into: y)
        }
      }
    }
  }
}
