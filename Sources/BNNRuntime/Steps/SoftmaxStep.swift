import BNNTensor

/// Softmax along an axis, e^(x − m) / Σ e^(x − m) with m the largest x, or its logarithm.
final class SoftmaxStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  private let logarithm: Bool
  private let length: Int
  private let stride: Int

  init(axis: Int, logarithm: Bool, _ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    self.logarithm = logarithm
    length = input.shape[axis]
    stride = input.shape.dimensions[(axis + 1)...].reduce(1, *)
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    execution.pool.run(output.count / length, grain: max(1, 1024 / length)) { lines, _ in
      for line in lines {
        let first = line / stride * stride * length + line % stride
        normalize(input.floats(execution) + first, to: output.floats(execution) + first)
      }
    }
  }

  private func normalize(_ x: UnsafeMutablePointer<Float>, to y: UnsafeMutablePointer<Float>) {
    var largest = -Float.infinity
    for index in 0..<length { largest = propagatingMaximum(largest, x[index * stride]) }
    var sum: Float = 0
    for index in 0..<length {
      let power = Float.exponential(x[index * stride] - largest)
      y[index * stride] = power
      sum += power
    }
    let logarithmOfSum = logarithm ? Float.logarithm(sum) : 0
    for index in 0..<length {
      let at = index * stride
      y[at] = logarithm ? x[at] - largest - logarithmOfSum : y[at] / sum
    }
  }
}
