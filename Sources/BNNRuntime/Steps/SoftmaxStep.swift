import BNNTensor

/// Softmax along an axis, e^(x − m) / Σ e^(x − m) with m the largest x, or its logarithm.
final class SoftmaxStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  private let logarithm: Bool
  /// Numbers of a line, and from one of them to the next.
  private let length: Int
  private let stride: Int
  private let pointwise: PointwiseKernel

  init(axis: Int, logarithm: Bool, _ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    self.logarithm = logarithm
    length = input.shape[axis]
    stride = input.shape.dimensions[(axis + 1)...].reduce(1, *)
    pointwise = context.kernels.pointwise
  }

  var work: StepWork { StepWork(kernel: pointwise.name) }

  /// Positions beside each other whose lines are computed together, where there are that many.
  private static let columns = 64
  /// With fewer positions than this, lines are brought together in scratch memory.
  private static let fewColumns = 16

  var scratchBytes: Int {
    stride > 1 && stride < SoftmaxStep.fewColumns ? stride * length * 4 : 0
  }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    let x = UnsafePointer(input.floats(execution))
    let y = output.floats(execution)
    let lines = output.count / length
    if stride == 1 {
      execution.pool.run(lines, grain: max(1, 1024 / length)) { lines, _ in
        for line in lines { normalize(x + line * length, to: y + line * length) }
      }
    } else if stride < SoftmaxStep.fewColumns {
      execution.pool.run(lines / stride, grain: max(1, 1024 / length / stride)) { groups, worker in
        let scratch = execution.scratch(worker).assumingMemoryBound(to: Float.self)
        for group in groups {
          let first = group * stride * length
          transpose(x + first, rows: stride, columns: length, to: scratch)
          for line in 0..<stride { normalize(scratch + line * length, to: scratch + line * length) }
          transpose(scratch, rows: length, columns: stride, to: y + first)
        }
      }
    } else {
      let blocks = (stride + SoftmaxStep.columns - 1) / SoftmaxStep.columns
      execution.pool.run(lines / stride * blocks, grain: 1) { range, _ in
        for index in range {
          let column = index % blocks * SoftmaxStep.columns
          let first = index / blocks * stride * length + column
          normalizeColumns(
            min(SoftmaxStep.columns, stride - column), x + first, to: y + first)
        }
      }
    }
  }

  /// From `columns` runs of `rows` numbers to `rows` runs of `columns` numbers.
  private func transpose(
    _ from: UnsafePointer<Float>, rows: Int, columns: Int, to: UnsafeMutablePointer<Float>
  ) {
    from.withMemoryRebound(to: UInt32.self, capacity: rows * columns) { from in
      to.withMemoryRebound(to: UInt32.self, capacity: rows * columns) { to in
        LayoutKernel.transpose(
          rows: rows, columns: columns, from, fromStep: rows, to: to, toStep: columns)
      }
    }
  }

  /// A line of numbers beside each other.
  private func normalize(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>) {
    pointwise.combine(.subtract, length, x, pointwise.maximum(length, x), to: y)
    if logarithm {
      pointwise.combine(.subtract, length, y, Float.logarithm(sumOfPowers(y)), to: y)
    } else {
      pointwise.apply(.exponential, length, y, to: y)
      pointwise.combine(.divide, length, y, pointwise.sum(length, y), to: y)
    }
  }

  /// Σ e^x of a line, which stays as it is.
  private func sumOfPowers(_ x: UnsafePointer<Float>) -> Float {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: SoftmaxStep.columns) { powers in
      guard let powers = powers.baseAddress else { return .nan }
      var (sum, first) = (Float(0), 0)
      while first < length {
        let count = min(SoftmaxStep.columns, length - first)
        pointwise.apply(.exponential, count, x + first, to: powers)
        sum += pointwise.sum(count, powers)
        first += count
      }
      return sum
    }
  }

  /// Lines whose numbers are `stride` apart, at positions beside each other.
  private func normalizeColumns(
    _ count: Int, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * SoftmaxStep.columns) { scratch in
      guard let largest = scratch.baseAddress else { return }
      let (sums, powers) = (largest + SoftmaxStep.columns, largest + 2 * SoftmaxStep.columns)
      largest.update(from: x, count: count)
      for row in 1..<length {
        let x = x + row * stride
        for column in 0..<count {
          largest[column] = propagatingMaximum(largest[column], x[column])
        }
      }
      sums.update(repeating: 0, count: count)
      for row in 0..<length {
        let (x, y) = (x + row * stride, y + row * stride)
        pointwise.combine(.subtract, count, x, largest, to: y)
        let target = logarithm ? powers : y
        pointwise.apply(.exponential, count, y, to: target)
        pointwise.combine(.add, count, sums, target, to: sums)
      }
      if logarithm { pointwise.apply(.logarithm, count, sums, to: sums) }
      for row in 0..<length {
        let y = y + row * stride
        pointwise.combine(logarithm ? .subtract : .divide, count, y, sums, to: y)
      }
    }
  }
}
