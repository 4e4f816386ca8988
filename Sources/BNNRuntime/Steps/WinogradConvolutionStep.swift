import BNNFormat
import BNNTensor

/// A convolution of real values in tiles, with fewer multiplications than taps, and its epilogue.
///
/// An element is computed in the same tile in the same order whatever else is computed.
final class WinogradConvolutionStep: LineStep {
  private let plan: WindowPlan
  private let input: Buffer
  private let shape: WinogradKernel.Shape
  private let kernel: WinogradKernel
  private let weights: AlignedMemory
  private let epilogue: EpilogueProgram
  private let macsPerPosition: Int

  /// Offsets in a worker's scratch: what the kernel needs, and rows where the output holds none.
  private let kernelOffset: Int
  private let valuesOffset: Int
  private let rowBytes: Int
  let scratchBytes: Int

  /// What tiles the step would have. It does not depend on the batch, because the layout of weights
  /// follows from it.
  ///
  /// - Returns: nil where sums of products are faster, or exact: those of integers with weights of
  ///   ±1 have to stay what they are.
  static func shape(
    _ geometry: ConvolutionGeometry, _ source: Weights, input: Buffer
  ) throws(RuntimeError.LayerFault) -> WinogradKernel.Shape? {
    let plan = try WindowPlan(geometry.window, input: input.shape)
    guard case .float32 = source, geometry.groups == 1, plan.positionsPerImage > 0,
      !FewOutputsConvolutionStep.fits(geometry, source, input: input)
    else { return nil }
    return WinogradKernel.Shape(
      plan.imageWindow, channels: input.channels, outputs: source.shape[0],
      isPlanar: input.isPlanar)
  }

  init(
    _ shape: WinogradKernel.Shape, _ geometry: ConvolutionGeometry, _ weights: [Float],
    _ epilogue: Epilogue, _ context: LayerContext
  ) throws(RuntimeError) {
    input = context.inputs[0]
    plan = try context.windowPlan(geometry.window)
    self.shape = shape
    kernel = context.kernels.winograd
    macsPerPosition = weights.count
    self.weights = try context.weights.memory(layer: context.index, byteCount: shape.weightBytes) {
      base throws(RuntimeError) in
      weights.withUnsafeBufferPointer { weights in
        guard let rows = weights.baseAddress else { return }
        WinogradKernel.packWeights(
          shape, rows: rows, into: base.assumingMemoryBound(to: Float.self))
      }
    }
    self.epilogue = try EpilogueProgram(epilogue, context)
    var layout = RegionLayout()
    kernelOffset = layout.add(kernel.scratchBytes(shape))
    rowBytes = RegionLayout.aligned(self.epilogue.scratchBytes(rows: plan.output[2]))
    valuesOffset = layout.add(shape.rowsPerTile * rowBytes)
    scratchBytes = layout.byteCount
  }

  var linesAtOnce: Int { shape.rowsPerTile }
  var work: StepWork {
    StepWork(
      floatMACs: StepWork.product(plan.positions, macsPerPosition), kernel: kernel.name(shape))
  }

  func run(_ execution: Execution) {
    execution.pool.run(plan.images * shape.tileRows) { tileRows, worker in
      for tileRow in tileRows {
        compute(
          image: tileRow / shape.tileRows, tileRow: tileRow % shape.tileRows,
          scratch: execution.scratch(worker), execution)
      }
    }
  }

  func run(rows: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution) {
    let (image, first) = rows.lowerBound.quotientAndRemainder(dividingBy: plan.positionsPerImage)
    let tileRow = first / plan.output[2] / shape.rowsPerTile
    compute(image: image, tileRow: tileRow, scratch: scratch, execution)
  }

  private func compute(
    image: Int, tileRow: Int, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let values = scratch + valuesOffset
    let firstLine = tileRow * shape.rowsPerTile
    let lines = min(shape.rowsPerTile, plan.output[1] - firstLine)
    let firstRow = (image * plan.output[1] + firstLine) * plan.output[2]
    withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>?.self, capacity: lines) { out in
      for line in 0..<lines {
        out.initializeElement(
          at: line,
          to: epilogue.target(
            row: firstRow + line * plan.output[2], scratch: values + line * rowBytes, execution))
      }
      guard let targets = UnsafePointer(out.baseAddress) else { return }
      kernel.multiply(
        shape, image: pixels(ofImage: image, execution),
        packedWeights: UnsafePointer(weights.pointer(to: Float.self)), tileRow: tileRow,
        scratch: scratch + kernelOffset, out: targets)
    }
    for line in 0..<lines {
      let row = firstRow + line * plan.output[2]
      let scratch = values + line * rowBytes
      epilogue.finish(
        rows: row..<row + plan.output[2],
        values: epilogue.target(row: row, scratch: scratch, execution), scratch: scratch, execution)
    }
  }

  /// Where an image begins.
  private func pixels(ofImage index: Int, _ execution: Execution) -> UnsafePointer<Float> {
    let elements = plan.input[1] * plan.input[2] * input.channels
    return UnsafePointer(input.elements(Float.self, execution)) + index * elements
  }
}
