import BNNTensor

/// Sums of all elements up to each, along an axis; integers wrap around.
final class CumulativeSumStep: ExecutionStep {
  private let exclusive: Bool
  private let reverse: Bool
  private let input: Buffer
  private let output: Buffer
  private let length: Int
  private let stride: Int

  init(axis: Int, exclusive: Bool, reverse: Bool, _ context: LayerContext) {
    self.exclusive = exclusive
    self.reverse = reverse
    input = context.inputs[0]
    output = context.outputs[0]
    length = input.shape[axis]
    stride = input.shape.dimensions[(axis + 1)...].reduce(1, *)
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    switch input.type {
    case .int32: run(Int32.self, execution) { $0 &+ $1 }
    case .int64: run(Int64.self, execution) { $0 &+ $1 }
    default: run(Float.self, execution) { $0 + $1 }
    }
  }

  @inline(__always)
  private func run<T: Numeric & BitwiseCopyable>(
    _ type: T.Type, _ execution: Execution, _ add: (T, T) -> T
  ) {
    guard output.count > 0 else { return }
    let (x, y) = (input.elements(type, execution), output.elements(type, execution))
    execution.pool.run(output.count / length, grain: max(1, 4096 / length)) { lines, _ in
      for line in lines {
        let first = line / stride * stride * length + line % stride
        var sum: T = 0
        for position in 0..<length {
          let at = first + (reverse ? length - 1 - position : position) * stride
          let next = add(sum, x[at])
          y[at] = exclusive ? sum : next
          sum = next
        }
      }
    }
  }
}
