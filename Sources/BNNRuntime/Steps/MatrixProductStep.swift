import BNNTensor

/// Products of stacks of matrices; each sum is added in the order of the inner axis.
final class MatrixProductStep: ExecutionStep {
  private let a: Buffer
  private let b: Buffer
  private let output: Buffer
  private let rows: Int
  private let inner: Int
  private let columns: Int
  /// Extents of the stack of results, and how far the operands' matrices are apart along each.
  private let extents: [Int]
  private let aSteps: [Int]
  private let bSteps: [Int]

  init(_ context: LayerContext) {
    (a, b) = (context.inputs[0], context.inputs[1])
    output = context.outputs[0]
    let stack = Shape(output.shape.dimensions.dropLast(2))
    func steps(_ buffer: Buffer) -> [Int] {
      Shape(buffer.shape.dimensions.dropLast(2)).steps(broadcastTo: stack)
    }
    extents = stack.dimensions
    (aSteps, bSteps) = (steps(a), steps(b))
    rows = output.shape[output.shape.rank - 2]
    columns = output.channels
    inner = a.channels
  }

  var work: StepWork {
    StepWork(floatMACs: output.type == .float32 ? StepWork.product(output.count, inner) : 0)
  }

  func run(_ execution: Execution) {
    switch output.type {
    case .int32: run(Int32.self, zero: 0, execution) { $0 &+ $1 &* $2 }
    case .int64: run(Int64.self, zero: 0, execution) { $0 &+ $1 &* $2 }
    default: run(Float.self, zero: 0, execution) { $0 + $1 * $2 }
    }
  }

  @inline(__always)
  private func run<T: BitwiseCopyable>(
    _ type: T.Type, zero: T, _ execution: Execution, _ add: (T, T, T) -> T
  ) {
    guard output.count > 0 else { return }
    let grain = max(1, 16384 / max(1, inner * columns))
    execution.pool.run(output.rows, grain: grain) { lines, _ in
      for line in lines {
        let (matrix, row) = line.quotientAndRemainder(dividingBy: rows)
        let (aMatrix, bMatrix) = operands(of: matrix)
        let x = a.elements(type, execution) + (aMatrix * rows + row) * inner
        let z = b.elements(type, execution) + bMatrix * inner * columns
        let y = output.elements(type, execution) + line * columns
        y.update(repeating: zero, count: columns)
        for index in 0..<inner {
          let factor = x[index]
          let source = z + index * columns
          for column in 0..<columns { y[column] = add(y[column], factor, source[column]) }
        }
      }
    }
  }

  /// The numbers of the matrices that make one of the results.
  private func operands(of matrix: Int) -> (Int, Int) {
    var rest = matrix
    var (x, z) = (0, 0)
    for axis in extents.indices.reversed() {
      x += rest % extents[axis] * aSteps[axis]
      z += rest % extents[axis] * bSteps[axis]
      rest /= extents[axis]
    }
    return (x, z)
  }
}
