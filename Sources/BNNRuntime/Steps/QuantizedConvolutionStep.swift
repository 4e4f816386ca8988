import BNNFormat
import BNNTensor

/// A convolution of bytes with weights of one byte as an implicit matrix product, and its epilogue.
///
/// The sums are exact integers; the first step of the epilogue makes them real.
final class QuantizedConvolutionStep: TiledStep {
  private let plan: WindowPlan
  private let groups: Int
  private let outputsPerGroup: Int
  private let products: Int
  private let kernel: ByteProductKernel
  private let image: ByteImage
  private let weights: AlignedMemory
  private let weightBytesPerGroup: Int
  /// Where the weights' memory has what each output's sum begins with.
  private let basesOffset: Int
  private let epilogue: EpilogueProgram

  let tileRows: Int
  private let rowsOffset: Int
  private let sumsOffset: Int
  private let valuesOffset: Int
  let scratchBytes: Int

  init(
    _ geometry: ConvolutionGeometry, _ source: QuantizedWeights, _ input: InputQuantization,
    _ epilogue: Epilogue, _ context: LayerContext
  ) throws(RuntimeError) {
    plan = try context.windowPlan(geometry.window)
    groups = geometry.groups
    let outputs = source.shape[0]
    outputsPerGroup = outputs / groups
    products = source.elements.count / max(outputs, 1)
    kernel = context.kernels.byteProduct
    image = try ByteImage(context.inputs[0], plan, groups: groups, input, context)

    weightBytesPerGroup = RegionLayout.aligned(
      kernel.weightBytes(outputs: outputsPerGroup, depth: image.depth))
    basesOffset = weightBytesPerGroup * groups
    let (kernel, image) = (kernel, image)
    let (outputsInGroup, bytesInGroup) = (outputsPerGroup, weightBytesPerGroup)
    let (groups, basesOffset, products) = (groups, basesOffset, products)
    weights = try context.weights.memory(
      layer: context.index, byteCount: basesOffset + outputs * 4
    ) { base throws(RuntimeError) in
      for group in 0..<groups {
        let rows = source.rows(
          group * outputsInGroup..<(group + 1) * outputsInGroup, run: image.run, runs: image.runs)
        kernel.packWeights(
          outputs: outputsInGroup, depth: image.depth, rows: rows, into: base + group * bytesInGroup
        )
      }
      let bases = (base + basesOffset).assumingMemoryBound(to: Int32.self)
      for output in 0..<outputs {
        let elements = source.elements[output * products..<(output + 1) * products]
        bases[output] = elements.reduce(0) { $0 - Int32($1) * Int32(input.zero) }
      }
    }

    // No element of a sum is −0, and no factor makes it one: adding 0 changes nothing.
    let real = PointwiseStep.affine(scale: source.factors(input), bias: [0])
    self.epilogue = try EpilogueProgram(
      Epilogue(steps: [real] + epilogue.steps, output: epilogue.output), context)
    // Sums of a tile take about 16 KiB; no tile is so large that threads are idle.
    let perTile = kernel.rowsPerTile
    let share = (plan.positions + context.threads - 1) / context.threads
    tileRows = max(1, min(max(4096 / max(outputs, 1) / perTile, 1) * perTile, 96, share))
    var layout = RegionLayout()
    rowsOffset = layout.add(ByteImage.scratchBytes(rows: tileRows))
    sumsOffset = layout.add(tileRows * outputs * 4)
    valuesOffset = layout.add(self.epilogue.scratchBytes(rows: tileRows))
    scratchBytes = layout.byteCount
  }

  var rowCount: Int { plan.positions }
  var work: StepWork {
    StepWork(
      floatMACs: StepWork.product(plan.positions, groups * outputsPerGroup, products),
      kernel: kernel.name)
  }

  func prepare(_ execution: Execution) { image.fill(execution) }

  func compute(
    _ positions: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let sums = (scratch + sumsOffset).assumingMemoryBound(to: Int32.self)
    let bases = (weights.base + basesOffset).assumingMemoryBound(to: Int32.self)
    for group in 0..<groups {
      let first = group * outputsPerGroup
      kernel.multiply(
        image.rows(positions, group: group, scratch: scratch + rowsOffset),
        outputs: outputsPerGroup, packedWeights: weights.base + group * weightBytesPerGroup,
        bases: bases + first, out: sums + first, stride: groups * outputsPerGroup)
    }
    epilogue.finish(
      rows: positions, channels: 0..<epilogue.channels, accumulators: sums,
      scratch: scratch + valuesOffset, execution)
  }
}

extension QuantizedWeights {
  /// Rows of some outputs in which every run is followed by zeros up to a multiple of four.
  fileprivate func rows(_ outputs: Range<Int>, run: Int, runs: Int) -> [Int8] {
    let padded = (run + 3) / 4 * 4
    var rows = [Int8](repeating: 0, count: outputs.count * runs * padded)
    for (index, place) in (outputs.lowerBound * runs..<outputs.upperBound * runs).enumerated() {
      for element in 0..<run { rows[index * padded + element] = elements[place * run + element] }
    }
    return rows
  }
}
