import BNNFormat
import BNNTensor

/// A convolution of real values with as many groups as channels, each with one output, and its
/// epilogue. Weights of ±1 become real numbers when they are laid out.
final class DepthwiseConvolutionStep: TiledStep {
  private let plan: WindowPlan
  private let window: ImageWindow
  private let input: Buffer
  private let kernel: WindowPoolKernel
  private let weights: AlignedMemory
  private let epilogue: EpilogueProgram
  let tileRows: Int

  static func fits(_ geometry: ConvolutionGeometry, _ weights: Weights, input: Buffer) -> Bool {
    geometry.groups > 1 && geometry.groups == input.channels
      && geometry.groups == weights.shape[0]
  }

  init(
    _ geometry: ConvolutionGeometry, _ weights: Weights, _ epilogue: Epilogue,
    _ context: LayerContext
  ) throws(RuntimeError) {
    input = context.inputs[0]
    plan = try context.windowPlan(geometry.window)
    window = plan.imageWindow
    kernel = context.kernels.windowPool
    let (taps, channels) = (plan.taps, input.channels)
    let (count, overflow) = taps.multipliedReportingOverflow(by: channels)
    guard !overflow, count < 1 << 32 else {
      throw context.fault(.accumulatorRange(overflow ? Int.max : taps))
    }
    self.weights = try context.weights.memory(layer: context.index, byteCount: count * 4) {
      base throws(RuntimeError) in
      let rows = weights.floats
      let packed = base.assumingMemoryBound(to: Float.self)
      for channel in 0..<channels {
        for tap in 0..<taps { packed[tap * channels + channel] = rows[channel * taps + tap] }
      }
    }
    self.epilogue = try EpilogueProgram(epilogue, context)
    tileRows = max(1, min(8192 / max(channels, 1), 64))
  }

  var scratchBytes: Int { epilogue.scratchBytes(rows: tileRows) }
  var rowCount: Int { plan.positions }
  var work: StepWork {
    StepWork(
      floatMACs: StepWork.product(plan.positions, input.channels, plan.taps), kernel: kernel.name)
  }

  func compute(
    _ rows: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let target = epilogue.target(row: rows.lowerBound, scratch: scratch, execution)
    kernel.weighted(
      window, UnsafePointer(input.floats(execution)), channels: input.channels,
      weights: UnsafePointer(weights.pointer(to: Float.self)), positions: rows, to: target)
    epilogue.finish(rows: rows, values: target, scratch: scratch, execution)
  }
}
