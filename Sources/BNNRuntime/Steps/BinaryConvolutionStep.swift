import BNNFormat
import BNNTensor

/// A convolution of bits with bits as an implicit matrix product, and its epilogue.
///
/// A tile of output positions at a time: the bits that each position's window sees are multiplied
/// with the weights of every group, and finished while the integers are in the cache.
final class BinaryConvolutionStep: ExecutionStep {
  private let plan: WindowPlan
  private let macs: Int
  private let product: GroupwiseProduct
  private let epilogue: EpilogueProgram

  /// What is computed and finished at a time, and where a worker's scratch holds what.
  private let tile: BinaryTile
  private let outputs: Int
  private let productOffset: Int
  private let accumulatorsOffset: Int
  private let referenceOffset: Int
  private let valuesOffset: Int
  /// What bit planes are finished with; nil where accumulators are.
  private let planes: PlaneReference?
  let scratchBytes: Int

  init(
    _ source: BinaryProductSource, _ epilogue: Epilogue, _ context: LayerContext
  ) throws(RuntimeError) {
    plan = source.plan
    macs = source.macs
    outputs = source.outputs
    product = try GroupwiseProduct(source, isTested: epilogue.isAccumulatorTest, context)
    self.epilogue = try EpilogueProgram(epilogue, context)
    var tile = product.tile
    if !self.epilogue.takesChannelRanges { tile.outputs = outputs }
    self.tile = tile
    planes =
      product.countsInPlanes && self.epilogue.takesPlanes
      ? try self.epilogue.planeReference(source.bases, context) : nil
    let accumulatorBytes =
      planes == nil
      ? tile.rows * tile.outputs * 4
      : BinaryProductKernel.planeBytes(rows: tile.rows, outputs: tile.outputs)
    var layout = RegionLayout()
    productOffset = layout.add(product.scratchBytes)
    accumulatorsOffset = layout.add(accumulatorBytes)
    referenceOffset = layout.add(PlaneReference.scratchBytes(rows: tile.rows))
    valuesOffset = layout.add(self.epilogue.scratchBytes(rows: tile.rows))
    scratchBytes = layout.byteCount
  }

  var work: StepWork { StepWork(binaryMACs: macs, kernel: product.kernelName) }

  func run(_ execution: Execution) {
    let tiles = (plan.positions + tile.rows - 1) / tile.rows
    execution.pool.run(tiles) { tiles, worker in
      let scratch = execution.scratch(worker)
      for index in tiles {
        let first = index * tile.rows
        let positions = first..<min(first + tile.rows, plan.positions)
        let reference = planes?.rows(positions, scratch: scratch + referenceOffset)
        for output in stride(from: 0, to: outputs, by: max(tile.outputs, 1)) {
          let part = output..<min(output + tile.outputs, outputs)
          let isFirst = index == tiles.lowerBound
          if let reference {
            finish(positions, part, reference, isFirst: isFirst, scratch: scratch, execution)
          } else {
            finish(positions, part, isFirst: isFirst, scratch: scratch, execution)
          }
        }
      }
    }
  }

  /// Multiplies and finishes integers.
  private func finish(
    _ positions: Range<Int>, _ part: Range<Int>, isFirst: Bool, scratch: UnsafeMutableRawPointer,
    _ execution: Execution
  ) {
    let accumulators = (scratch + accumulatorsOffset).assumingMemoryBound(to: Int32.self)
    product.multiply(
      positions, outputs: part, isFirst: isFirst, into: accumulators, scratch: scratch + productOffset, execution)
    epilogue.finish(
      rows: positions, channels: part, accumulators: accumulators,
      scratch: scratch + valuesOffset, execution)
  }

  /// Counts mismatches in bit planes and finishes them.
  private func finish(
    _ positions: Range<Int>, _ part: Range<Int>, _ reference: PlaneReference.Rows, isFirst: Bool,
    scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let planes = scratch + accumulatorsOffset
    product.count(
      positions, outputs: part, isFirst: isFirst, into: planes, scratch: scratch + productOffset, execution)
    epilogue.finish(
      rows: positions, channels: part, planes: planes, reference: reference,
      scratch: scratch + valuesOffset, execution)
  }
}

extension Epilogue {
  fileprivate var isAccumulatorTest: Bool {
    if case .accumulatorBits = output { true } else { false }
  }
}
