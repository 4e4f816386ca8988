import BNNFormat
import BNNTensor

/// A convolution of bits with bits as an implicit matrix product, and its epilogue.
///
/// A tile of output positions at a time: the bits that each position's window sees are multiplied
/// with the weights of every group, and finished while the integers are in the cache.
final class BinaryConvolutionStep: ExecutionStep {
  private let plan: WindowPlan
  private let macs: Int
  private let product: any BinaryProduct
  private let epilogue: EpilogueProgram

  /// Output positions per tile, and where a worker's scratch holds what.
  private let tileRows: Int
  private let productOffset: Int
  private let accumulatorsOffset: Int
  private let valuesOffset: Int
  let scratchBytes: Int

  init(
    _ source: BinaryProductSource, _ epilogue: Epilogue, _ context: LayerContext
  ) throws(RuntimeError) {
    plan = source.plan
    macs = source.macs
    let outputs = source.outputs
    // Accumulators of a tile take about 16 KiB; no tile is so large that threads are idle.
    let share = (plan.positions + context.threads - 1) / context.threads
    tileRows = max(1, min(max(4096 / max(outputs, 1), 4), 32, share))
    product = try GroupwiseProduct(source, tileRows: tileRows, context)
    self.epilogue = try EpilogueProgram(epilogue, context)
    var layout = RegionLayout()
    productOffset = layout.add(product.scratchBytes)
    accumulatorsOffset = layout.add(tileRows * outputs * 4)
    valuesOffset = layout.add(self.epilogue.scratchBytes(rows: tileRows))
    scratchBytes = layout.byteCount
  }

  var work: StepWork { StepWork(binaryMACs: macs, kernel: product.kernelName) }

  func run(_ execution: Execution) {
    let tiles = (plan.positions + tileRows - 1) / tileRows
    execution.pool.run(tiles) { tiles, worker in
      let scratch = execution.scratch(worker)
      let accumulators = (scratch + accumulatorsOffset).assumingMemoryBound(to: Int32.self)
      for tile in tiles {
        let first = tile * tileRows
        let positions = first..<min(first + tileRows, plan.positions)
        product.multiply(
          positions, into: accumulators, scratch: scratch + productOffset, execution)
        epilogue.finish(
          rows: positions, accumulators: accumulators, scratch: scratch + valuesOffset, execution)
      }
    }
  }
}
