import BNNFormat
import BNNTensor

/// The maximum or average of each window of real values, and its epilogue.
final class PoolStep: ExecutionStep {
  private let kind: PoolKind
  private let input: Buffer
  let plan: WindowPlan
  private let window: ImageWindow
  private let kernel: WindowPoolKernel
  private let epilogue: EpilogueProgram
  /// The sign bit of channels whose minimum is wanted instead of the maximum; nil where none is.
  private let signs: ParameterList<UInt32>?
  private let tileRows: Int

  /// - Parameter usesMinimum: by channel.
  init(
    _ kind: PoolKind, _ window: WindowGeometry, ceiling: Bool, _ epilogue: Epilogue,
    usesMinimum: [Bool] = [false], _ context: LayerContext
  ) throws(RuntimeError) {
    self.kind = kind
    input = context.inputs[0]
    plan = try context.windowPlan(window, ceiling: ceiling)
    self.window = plan.imageWindow
    kernel = context.kernels.windowPool
    self.epilogue = try EpilogueProgram(epilogue, context)
    signs =
      usesMinimum.contains(true)
      ? try context.expanded(usesMinimum.map { $0 ? 1 << 31 : 0 }, channels: input.channels) : nil
    tileRows = max(1, min(8192 / max(input.channels, 1), 64))
  }

  var scratchBytes: Int { epilogue.scratchBytes(rows: tileRows) }
  var work: StepWork { StepWork(kernel: kernel.name) }

  func run(_ execution: Execution) {
    let tiles = (plan.positions + tileRows - 1) / tileRows
    execution.pool.run(tiles) { tiles, worker in
      let first = tiles.lowerBound * tileRows
      let positions = first..<min(tiles.upperBound * tileRows, plan.positions)
      run(positions, scratch: execution.scratch(worker), execution)
    }
  }

  /// The results of some windows.
  func run(
    _ positions: Range<Int>, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    for first in stride(from: positions.lowerBound, to: positions.upperBound, by: tileRows) {
      let tile = first..<min(first + tileRows, positions.upperBound)
      let target = epilogue.target(row: first, scratch: scratch, execution)
      pool(tile, to: target, execution)
      epilogue.finish(rows: tile, values: target, scratch: scratch, execution)
    }
  }

  private func pool(
    _ positions: Range<Int>, to out: UnsafeMutablePointer<Float>, _ execution: Execution
  ) {
    let source = UnsafePointer(input.floats(execution))
    switch kind {
    case .maximum:
      kernel.maximum(
        window, source, channels: input.channels, signs: signs.map { UnsafePointer($0.pointer) },
        positions: positions, to: out)
    case .average(let countsPadding):
      kernel.average(
        window, source, channels: input.channels, positions: positions,
        countsPadding: countsPadding, padsEnd: plan.padsEnd, to: out)
    }
  }
}
