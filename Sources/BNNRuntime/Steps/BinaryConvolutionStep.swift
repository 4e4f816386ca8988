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
  private let threads: Int
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
    threads = context.threads
    product = try GroupwiseProduct(source, isTested: epilogue.isAccumulatorTest, context)
    self.epilogue = try EpilogueProgram(epilogue, context)
    var tile = product.tile
    if !self.epilogue.takesChannelRanges { (tile.outputs, tile.splitsOutputs) = (outputs, false) }
    self.tile = tile
    planes =
      product.countsInPlanes && self.epilogue.takesPlanes
      ? try self.epilogue.planeReference(source.bases, most: source.weights.depth, context) : nil
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

  /// Asks for the weights of the next step of this kind while it computes the last of its own.
  func isFollowed(by next: BinaryConvolutionStep) { product.isFollowed(by: next.product) }

  var work: StepWork { StepWork(binaryMACs: macs, kernel: product.kernelName) }

  func run(_ execution: Execution) {
    let tiles = (plan.positions + tile.rows - 1) / tile.rows
    let parts = (outputs + max(tile.outputs, 1) - 1) / max(tile.outputs, 1)
    guard tile.splitsOutputs else {
      execution.pool.run(tiles) { tiles, worker in
        for index in tiles {
          run(index, of: tiles, parts: 0..<parts, worker, execution)
        }
      }
      return
    }
    execution.pool.run(parts, grain: (parts + threads - 1) / threads) { parts, worker in
      for index in 0..<tiles {
        run(index, of: 0..<tiles, parts: parts, worker, execution)
      }
    }
  }

  /// Some parts of the outputs of a tile, which is one of those that a worker computes.
  private func run(
    _ index: Int, of tiles: Range<Int>, parts: Range<Int>, _ worker: Int, _ execution: Execution
  ) {
    let scratch = execution.scratch(worker)
    let first = index * tile.rows
    let positions = first..<min(first + tile.rows, plan.positions)
    let reference = planes?.rows(positions, scratch: scratch + referenceOffset)
    for part in parts {
      let range = part * tile.outputs..<min((part + 1) * tile.outputs, outputs)
      let order = PartOrder(
        isStart: part == parts.lowerBound, isFirst: index == tiles.lowerBound,
        isLast: index + 1 == tiles.upperBound)
      if let reference {
        finish(positions, range, reference, order, scratch: scratch, execution)
      } else {
        finish(positions, range, order, scratch: scratch, execution)
      }
    }
  }

  /// Multiplies and finishes integers.
  private func finish(
    _ positions: Range<Int>, _ part: Range<Int>, _ order: PartOrder,
    scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let accumulators = (scratch + accumulatorsOffset).assumingMemoryBound(to: Int32.self)
    product.multiply(
      positions, outputs: part, order, into: accumulators, scratch: scratch + productOffset,
      execution)
    epilogue.finish(
      rows: positions, channels: part, accumulators: accumulators,
      scratch: scratch + valuesOffset, execution)
  }

  /// Counts mismatches in bit planes and finishes them.
  private func finish(
    _ positions: Range<Int>, _ part: Range<Int>, _ reference: PlaneReference.Rows,
    _ order: PartOrder, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let planes = scratch + accumulatorsOffset
    product.count(
      positions, outputs: part, order, into: planes, scratch: scratch + productOffset, execution)
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
