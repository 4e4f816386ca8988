import BNNTensor

/// Where in x [N, C, spatial…] the largest element of each window is; of equal elements the first.
final class MaximumIndicesStep: ExecutionStep {
  private let columnMajor: Bool
  private let input: Buffer
  private let output: Buffer
  private let plan: WindowPlan

  init(
    _ window: WindowGeometry, ceiling: Bool, columnMajor: Bool, _ context: LayerContext
  ) throws(RuntimeError) {
    self.columnMajor = columnMajor
    input = context.inputs[0]
    output = context.outputs[0]
    let shape = input.shape
    do {
      // One channel at a time.
      plan = try WindowPlan(
        window, input: Shape([shape[0] * shape[1]] + shape.dimensions.dropFirst(2) + [1]),
        ceiling: ceiling)
    } catch {
      throw context.fault(error)
    }
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    switch input.type {
    case .int32: run(Int32.self, execution)
    case .int64: run(Int64.self, execution)
    default: run(Float.self, execution)
    }
  }

  private func run<T: Comparable & BitwiseCopyable>(_ type: T.Type, _ execution: Execution) {
    let (x, y) = (input.elements(type, execution), output.elements(Int64.self, execution))
    let window = plan.imageWindow
    execution.pool.run(output.count, grain: 256) { positions, _ in
      for position in positions {
        let best = place(window.taps(at: position), x)
        y[position] = Int64(columnMajor ? transposed(best) : best)
      }
    }
  }

  private func place<T: Comparable>(
    _ taps: (image: Int, z: ImageWindow.AxisTaps, y: ImageWindow.AxisTaps, x: ImageWindow.AxisTaps),
    _ x: UnsafeMutablePointer<T>
  ) -> Int {
    var best: Int?
    for kz in taps.z.first..<taps.z.end {
      let slice = taps.image * plan.input[0] + taps.z.origin + kz * plan.dilations[0]
      for ky in taps.y.first..<taps.y.end {
        let line = slice * plan.input[1] + taps.y.origin + ky * plan.dilations[1]
        for kx in taps.x.first..<taps.x.end {
          let at = line * plan.input[2] + taps.x.origin + kx * plan.dilations[2]
          if let current = best, !(x[at] > x[current]) { continue }
          best = at
        }
      }
    }
    return best ?? 0
  }

  /// The number of an element when the last two dimensions of its plane change places.
  private func transposed(_ index: Int) -> Int {
    let (rows, columns) = (plan.input[1], plan.input[2])
    let (plane, rest) = index.quotientAndRemainder(dividingBy: rows * columns)
    let (row, column) = rest.quotientAndRemainder(dividingBy: columns)
    return (plane * columns + column) * rows + row
  }
}
