import BNNFormat
import BNNTensor

/// A convolution of real values with up to four outputs (images, masks, depth maps), summed in lanes
/// along the channels: in a product of many outputs most lanes would be empty.
///
/// A window is a few runs of numbers that lie beside each other. Those at borders are copied.
final class FewOutputsConvolutionStep: TiledStep {
  private let input: Buffer
  private let plan: WindowPlan
  private let outputs: Int
  private let kernel: FloatProductKernel
  private let weights: AlignedMemory
  private let epilogue: EpilogueProgram
  /// Numbers of a run, and the runs of a window; columns of taps that a run has.
  private let run: Int
  private let runs: Int
  private let runTaps: Int
  private let zeros: AlignedMemory

  let tileRows: Int
  /// Offsets in a worker's scratch.
  private let pointersOffset: Int
  private let copiesOffset: Int
  private let valuesOffset: Int
  let scratchBytes: Int

  /// Shorter runs do not fill vectors.
  private static let shortestRun = 16
  private static let mostCopiedBytes = 96 << 10

  static func fits(_ geometry: ConvolutionGeometry, _ weights: Weights, input: Buffer) -> Bool {
    geometry.groups == 1 && (1...FloatProductKernel.fewOutputs).contains(weights.shape[0])
      && tapsOfRun(geometry.window) * input.channels >= shortestRun
  }

  private static func tapsOfRun(_ window: WindowGeometry) -> Int {
    window.dilations.last == 1 ? window.kernel.last ?? 1 : 1
  }

  init(
    _ geometry: ConvolutionGeometry, _ source: Weights, _ epilogue: Epilogue,
    _ context: LayerContext
  ) throws(RuntimeError) {
    input = context.inputs[0]
    plan = try context.windowPlan(geometry.window)
    kernel = context.kernels.floatProduct
    let outputs = source.shape[0]
    self.outputs = outputs
    runTaps = FewOutputsConvolutionStep.tapsOfRun(geometry.window)
    let (run, overflow) = runTaps.multipliedReportingOverflow(by: input.channels)
    guard !overflow, run < 1 << 32 else {
      throw context.fault(.accumulatorRange(overflow ? Int.max : run))
    }
    let runs = plan.taps / runTaps
    (self.run, self.runs) = (run, runs)
    let (bias, rest) = epilogue.separatingBias(channels: outputs)
    weights = try context.weights.memory(
      layer: context.index,
      byteCount: FloatProductKernel.fewWeightBytes(outputs: outputs, runs: runs, run: run)
    ) { base throws(RuntimeError) in
      source.floats.withUnsafeBufferPointer { values in
        guard let rows = values.baseAddress else { return }
        FloatProductKernel.packFewWeights(
          outputs: outputs, runs: runs, run: run, rows: rows, bias: bias,
          into: base.assumingMemoryBound(to: Float.self))
      }
    }
    zeros = try context.budget.allocate(run * 4)
    self.epilogue = try EpilogueProgram(rest, context)
    let multiple = kernel.rowsPerTile
    tileRows =
      min(8, max(1, FewOutputsConvolutionStep.mostCopiedBytes / (runs * run * 4 * multiple)))
      * multiple
    var layout = RegionLayout()
    pointersOffset = layout.add(tileRows * runs * MemoryLayout<UnsafePointer<Float>?>.stride)
    copiesOffset = layout.add(tileRows * runs * run * 4)
    valuesOffset = layout.add(self.epilogue.scratchBytes(rows: tileRows))
    scratchBytes = layout.byteCount
  }

  var rowCount: Int { plan.positions }
  var work: StepWork {
    StepWork(
      floatMACs: StepWork.product(plan.positions, outputs, runs, run), kernel: kernel.name)
  }

  func compute(
    _ positions: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let pointers = (scratch + pointersOffset)
      .assumingMemoryBound(to: UnsafePointer<Float>?.self)
    let copies = (scratch + copiesOffset).assumingMemoryBound(to: Float.self)
    var next = positions.lowerBound
    while next < positions.upperBound {
      // Positions of one line.
      let (line, x) = next.quotientAndRemainder(dividingBy: plan.output[2])
      let count = min(plan.output[2] - x, positions.upperBound - next)
      let index = next - positions.lowerBound
      findRuns(
        line: line, x: x, count: count, pointers + index * runs,
        copies: copies + index * runs * run, execution)
      next += count
    }
    let values = scratch + valuesOffset
    let target = epilogue.target(row: positions.lowerBound, scratch: values, execution)
    kernel.multiplyFew(
      rows: positions.count, runs: runs, run: run, from: pointers, outputs: outputs,
      packedWeights: weights.base.assumingMemoryBound(to: Float.self), out: target)
    epilogue.finish(rows: positions, values: target, scratch: values, execution)
  }

  /// Where the runs of some positions of a line begin, position by position.
  private func findRuns(
    line: Int, x: Int, count: Int, _ pointers: UnsafeMutablePointer<UnsafePointer<Float>?>,
    copies: UnsafeMutablePointer<Float>, _ execution: Execution
  ) {
    let (rest, y) = line.quotientAndRemainder(dividingBy: plan.output[1])
    let (image, z) = rest.quotientAndRemainder(dividingBy: plan.output[0])
    let source = UnsafePointer(input.floats(execution))
    let columns = plan.kernel[2] / runTaps
    for index in 0..<runs {
      let (rows, kx) = index.quotientAndRemainder(dividingBy: columns)
      let (kz, ky) = rows.quotientAndRemainder(dividingBy: plan.kernel[1])
      let inZ = z * plan.strides[0] - plan.padsBegin[0] + kz * plan.dilations[0]
      let inY = y * plan.strides[1] - plan.padsBegin[1] + ky * plan.dilations[1]
      guard (0..<plan.input[0]).contains(inZ), (0..<plan.input[1]).contains(inY) else {
        let zeros = UnsafePointer(zeros.pointer(to: Float.self))
        for position in 0..<count { pointers[position * runs + index] = zeros }
        continue
      }
      let from = source + ((image * plan.input[0] + inZ) * plan.input[1] + inY) * lineLength
      let shift = kx * plan.dilations[2] - plan.padsBegin[2]
      for position in 0..<count {
        let inX = (x + position) * plan.strides[2] + shift
        if inX >= 0, inX + runTaps <= plan.input[2] {
          pointers[position * runs + index] = from + inX * input.channels
        } else {
          let copy = copies + (position * runs + index) * run
          copyBorder(from, inX, to: copy)
          pointers[position * runs + index] = UnsafePointer(copy)
        }
      }
    }
  }

  private var lineLength: Int { plan.input[2] * input.channels }

  /// The taps of a run that begins at a column outside of the line, or ends there.
  private func copyBorder(
    _ line: UnsafePointer<Float>, _ column: Int, to copy: UnsafeMutablePointer<Float>
  ) {
    for tap in 0..<runTaps {
      let to = copy + tap * input.channels
      if (0..<plan.input[2]).contains(column + tap) {
        to.update(from: line + (column + tap) * input.channels, count: input.channels)
      } else {
        to.update(repeating: 0, count: input.channels)
      }
    }
  }
}
