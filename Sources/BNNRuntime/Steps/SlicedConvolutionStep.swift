import BNNFormat
import BNNTensor

/// A convolution of bits with bits that have few channels per group: mismatches are counted for all
/// outputs of a line at once, as bit planes (see `bnn_bslice.h`).
///
/// Thresholds of accumulators are compared with the planes. Anything else follows from the planes of
/// groups of positions, or from integers, a part of a line at a time.
final class SlicedConvolutionStep: ExecutionStep {
  private let source: BinaryProductSource
  private let kernel: BitSliceKernel
  private let plan: BitSlicePlan
  private let offsets: ParameterList<UInt32>
  private let weights: AlignedMemory
  private let end: End
  /// All lines of all images, and how many of them threads take at once.
  private let lines: Int
  private let grain: Int

  private let basesOffset: Int
  private let accumulatorsOffset: Int
  private let valuesOffset: Int
  let scratchBytes: Int

  private enum End {
    case bits(SlicedTests, Buffer)
    case planes(EpilogueProgram)
    case integers(EpilogueProgram)
  }

  /// - Returns: nil where products of rows of bits are faster. That does not depend on the batch,
  ///   because the layout of weights follows from it.
  init?(
    _ source: BinaryProductSource, _ epilogue: Epilogue, _ context: LayerContext
  ) throws(RuntimeError) {
    let window = source.plan
    guard window.positionsPerImage > 0, source.outputs > 0, source.weights.depth > 0,
      let kernel = context.kernels.bitSlices
    else { return nil }
    func shape(_ window: ImageWindow) -> BitSliceKernel.Shape {
      BitSliceKernel.Shape(
        window, groups: source.groups, bitsPerTap: source.bitsPerTap,
        outputsPerGroup: source.outputsPerGroup, outsideIsPlus: source.outsideIsPlus)
    }
    // Positions that see one pixel each are a single line, of all images.
    let isIdentity = window.isIdentity
    var needsIntegers = true
    if case .accumulatorBits = epilogue.output { needsIntegers = false }
    let product = context.binaryProduct(for: source, isTested: !needsIntegers)
    guard product.groupsAtOnce == 1 else { return nil }
    guard
      kernel.fits(
        shape(isIdentity ? ImageWindow(pixels: 64) : window.imageWindow),
        needsIntegers: needsIntegers)
    else { return nil }
    plan = kernel.plan(
      shape(isIdentity ? ImageWindow(pixels: max(1, window.positions)) : window.imageWindow))
    (self.source, self.kernel) = (source, kernel)
    lines = window.positions == 0 ? 0 : plan.lines * (isIdentity ? 1 : window.images)
    // Lines one after the other share what is made of the input.
    let fewest = plan.linesOfPlanes
    grain = max(fewest, lines / (4 * context.threads) / fewest * fewest)
    offsets = ParameterList(memory: try context.budget.allocate(plan.offsetCount * 4))
    plan.fillOffsets(offsets.pointer)
    let layout = plan
    weights = try context.weights.memory(
      layer: context.index, byteCount: plan.weightBytes, signBytes: source.weights.byteCount
    ) { base throws(RuntimeError) in
      source.weights.withWords(of: 0..<source.outputs, run: source.weights.depth) {
        layout.packWeights($0, rowWords: (source.weights.depth + 63) / 64, into: base)
      }
    }
    var regions = RegionLayout()
    _ = regions.add(plan.scratchBytes)
    let positions = plan.partPositions
    if case .accumulatorBits(let thresholds) = epilogue.output {
      end = .bits(
        try SlicedTests(thresholds, plan, source, isOneLine: isIdentity, context),
        context.outputs[0])
      (basesOffset, accumulatorsOffset, valuesOffset) = (0, 0, 0)
    } else {
      let program = try EpilogueProgram(epilogue, context)
      // Words with outputs that do not exist would be finished one number at a time.
      let takesPlanes = plan.takesPlanes && program.takesPlanes && source.outputs % 64 == 0
      end = takesPlanes ? .planes(program) : .integers(program)
      let atOnce = positions * (takesPlanes ? plan.linesOfPlanes : 1)
      basesOffset = regions.add(atOnce * MemoryLayout<UnsafePointer<Int32>?>.stride)
      accumulatorsOffset = regions.add(
        takesPlanes ? plan.planeBytes(positions: atOnce) : atOnce * source.outputs * 4)
      valuesOffset = regions.add(program.scratchBytes(rows: atOnce))
    }
    scratchBytes = regions.byteCount
  }

  var work: StepWork { StepWork(binaryMACs: source.macs, kernel: kernel.name) }

  func run(_ execution: Execution) {
    let operands = BitSlicePlan.Operands(
      offsets: offsets.pointer, weights: weights.base,
      input: UnsafePointer(source.input.bits(execution)))
    execution.pool.run(lines, grain: grain) { lines, worker in
      let scratch = execution.scratch(worker)
      plan.begin(scratch)
      switch end {
      case .bits(let tests, let output):
        plan.bits(
          operands, lines: lines, scratch: scratch, tests.tests, to: output.bits(execution))
      case .planes(let epilogue):
        plan.clearPlanes(
          positions: plan.partPositions * plan.linesOfPlanes, scratch + accumulatorsOffset)
        for first in stride(from: lines.lowerBound, to: lines.upperBound, by: plan.linesOfPlanes) {
          finish(
            first..<min(first + plan.linesOfPlanes, lines.upperBound), operands, epilogue, scratch,
            execution)
        }
      case .integers(let epilogue):
        for line in lines { finish(line, operands, epilogue, scratch, execution) }
      }
    }
  }

  /// Finishes lines whose positions follow each other, from their planes.
  private func finish(
    _ lines: Range<Int>, _ operands: BitSlicePlan.Operands, _ epilogue: EpilogueProgram,
    _ scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let planes = scratch + accumulatorsOffset
    let first = plan.positions(line: lines.lowerBound).lowerBound
    var end = first
    for line in lines {
      plan.planes(operands, line: line, scratch: scratch, position: end - first, to: planes)
      end += plan.positions(line: line).count
    }
    let bases = (scratch + basesOffset).assumingMemoryBound(to: UnsafePointer<Int32>?.self)
    source.bases.fill(bases, positions: first..<end, output: 0)
    epilogue.finish(
      rows: first..<end, channels: 0..<source.outputs, planes: planes, reference: .bases(bases),
      scratch: scratch + valuesOffset, execution)
  }

  private func finish(
    _ line: Int, _ operands: BitSlicePlan.Operands, _ epilogue: EpilogueProgram,
    _ scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let positions = plan.positions(line: line)
    let bases = (scratch + basesOffset).assumingMemoryBound(to: UnsafePointer<Int32>?.self)
    let accumulators = (scratch + accumulatorsOffset).assumingMemoryBound(to: Int32.self)
    source.bases.fill(bases, positions: positions, output: 0)
    plan.integers(operands, line: line, scratch: scratch, bases: bases, to: accumulators)
    epilogue.finish(
      rows: positions, channels: 0..<source.outputs, accumulators: accumulators,
      scratch: scratch + valuesOffset, execution)
  }
}

extension ImageWindow {
  /// One line of positions that see one pixel each.
  fileprivate init(pixels: Int) {
    self.init(
      input: [1, 1, pixels], output: [1, 1, pixels], kernel: [1, 1, 1], strides: [1, 1, 1],
      dilations: [1, 1, 1], padsBegin: [0, 0, 0])
  }
}
