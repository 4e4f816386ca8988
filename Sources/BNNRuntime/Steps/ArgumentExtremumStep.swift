import BNNTensor

/// Where the largest or smallest element along an axis is. NaN never replaces what was found.
final class ArgumentExtremumStep: ExecutionStep {
  private let isMaximum: Bool
  private let selectsLast: Bool
  private let input: Buffer
  private let output: Buffer
  private let length: Int
  private let stride: Int
  private let pointwise: PointwiseKernel

  init(isMaximum: Bool, axis: Int, selectsLast: Bool, _ context: LayerContext) {
    self.isMaximum = isMaximum
    self.selectsLast = selectsLast
    input = context.inputs[0]
    output = context.outputs[0]
    length = input.shape[axis]
    stride = input.shape.dimensions[(axis + 1)...].reduce(1, *)
    pointwise = context.kernels.pointwise
  }

  var work: StepWork { StepWork(kernel: pointwise.name) }

  func run(_ execution: Execution) {
    switch input.type {
    case .int32: run(Int32.self, execution)
    case .int64: run(Int64.self, execution)
    default: runFloats(execution)
    }
  }

  /// Lines are computed together: all of them, or those beside each other.
  private func runFloats(_ execution: Execution) {
    guard output.count > 0 else { return }
    let x = UnsafePointer(input.floats(execution))
    let y = output.elements(Int64.self, execution)
    execution.pool.run(output.count, grain: max(1, 4096 / length)) { lines, _ in
      var line = lines.lowerBound
      while line < lines.upperBound {
        let (block, column) = line.quotientAndRemainder(dividingBy: stride)
        let count = stride == 1 ? lines.count : min(stride - column, lines.upperBound - line)
        pointwise.placesOfExtrema(
          lines: count, length: length, x + block * stride * length + column,
          lineStep: stride == 1 ? length : 1, step: stride, isMaximum: isMaximum,
          selectsLast: selectsLast, to: y + line)
        line += count
      }
    }
  }

  private func run<T: Comparable & BitwiseCopyable>(_ type: T.Type, _ execution: Execution) {
    let (x, y) = (input.elements(type, execution), output.elements(Int64.self, execution))
    execution.pool.run(output.count, grain: max(1, 4096 / length)) { lines, _ in
      for line in lines {
        let first = x + (line / stride * stride * length + line % stride)
        var best = 0
        for position in 1..<max(length, 1) {
          let (candidate, current) = (first[position * stride], first[best * stride])
          let isBetter = isMaximum ? candidate > current : candidate < current
          if isBetter || (selectsLast && candidate == current) { best = position }
        }
        y[line] = Int64(best)
      }
    }
  }
}
