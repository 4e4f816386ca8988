import BNNFormat
import BNNTensor

/// The maximum or average of each window of real values, and its epilogue.
final class PoolStep: ExecutionStep {
  private let kind: PoolKind
  private let input: Buffer
  private let plan: WindowPlan
  private let window: ImageWindow
  private let kernels: Kernels
  private let epilogue: EpilogueProgram
  private let tileRows: Int

  init(
    _ kind: PoolKind, _ window: WindowGeometry, ceiling: Bool, _ epilogue: Epilogue,
    _ context: LayerContext
  ) throws(RuntimeError) {
    self.kind = kind
    input = context.inputs[0]
    do {
      plan = try WindowPlan(window, input: input.shape, ceiling: ceiling)
    } catch {
      throw context.fault(error)
    }
    self.window = plan.imageWindow
    kernels = context.kernels
    self.epilogue = try EpilogueProgram(epilogue, context)
    tileRows = max(1, min(8192 / max(input.channels, 1), 64))
  }

  var scratchBytes: Int { epilogue.scratchBytes(rows: tileRows) }
  var work: StepWork { StepWork(kernel: kernels.pointwise.name) }

  func run(_ execution: Execution) {
    let tiles = (plan.positions + tileRows - 1) / tileRows
    execution.pool.run(tiles) { tiles, worker in
      let scratch = execution.scratch(worker)
      for tile in tiles {
        let first = tile * tileRows
        let positions = first..<min(first + tileRows, plan.positions)
        let target = epilogue.target(row: first, scratch: scratch, execution)
        for (row, position) in positions.enumerated() {
          pool(position, to: target + row * input.channels, execution)
        }
        epilogue.finish(rows: positions, values: target, scratch: scratch, execution)
      }
    }
  }

  /// Combines the channels of all taps in row-major order.
  private func pool(_ position: Int, to y: UnsafeMutablePointer<Float>, _ execution: Execution) {
    let channels = input.channels
    let source = UnsafePointer(input.floats(execution))
    let taps = window.taps(at: position)
    y.update(repeating: kind == .maximum ? -.infinity : 0, count: channels)
    var isFirst = true
    for kz in taps.z.first..<taps.z.end {
      let z = taps.image * plan.input[0] + taps.z.origin + kz * plan.dilations[0]
      for ky in taps.y.first..<taps.y.end {
        let line = z * plan.input[1] + taps.y.origin + ky * plan.dilations[1]
        for kx in taps.x.first..<taps.x.end {
          let pixel = line * plan.input[2] + taps.x.origin + kx * plan.dilations[2]
          let x = source + pixel * channels
          if kind == .maximum, isFirst {
            y.update(from: x, count: channels)
            isFirst = false
          } else if kind == .maximum {
            kernels.pointwise.maximum(channels, y, x, to: y)
          } else {
            kernels.pointwise.add(channels, y, x, to: y)
          }
        }
      }
    }
    if case .average(let countPadding) = kind {
      let axes = [taps.z, taps.y, taps.x]
      let divisor = (0..<3).reduce(1) { product, axis in
        product
          * (countPadding
            ? paddedTaps(axis, origin: axes[axis].origin) : axes[axis].end - axes[axis].first)
      }
      kernels.pointwise.divide(channels, y, by: Float(divisor), to: y)
    }
  }

  /// The taps that lie in the input or its padding: a window that is cut off at the end (rounded
  /// up extents) counts only those.
  private func paddedTaps(_ axis: Int, origin: Int) -> Int {
    let room = plan.input[axis] + plan.padsEnd[axis] - origin
    return min(plan.kernel[axis], (room + plan.dilations[axis] - 1) / plan.dilations[axis])
  }
}
