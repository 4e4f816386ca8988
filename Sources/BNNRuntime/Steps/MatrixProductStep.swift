import BNNTensor

/// Products of stacks of matrices; each sum is added in the order of the inner axis.
///
/// Numbers are multiplied some columns at a time, which are laid out as the kernel wants its weights;
/// integers, and too few rows to be worth that, one row after the other.
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
  private let parts: Parts?
  let scratchBytes: Int

  /// How products of numbers are shared out: columns and rows at a time.
  private struct Parts {
    var kernel: FloatProductKernel
    var offsets: ParameterList<UInt32>
    var columns: Int
    var rows: Int
    /// Rows of a call, and where the columns are in a worker's scratch, behind the rows.
    var rowsPerCall: Int
    var weightsOffset: Int
  }

  /// Columns of a part take so many bytes at most.
  private static let mostBytes = 256 << 10

  init(_ context: LayerContext) throws(RuntimeError) {
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
    guard output.type == .float32, rows >= 8, inner > 0, inner < 1 << 32, output.count > 0 else {
      (parts, scratchBytes) = (nil, 0)
      return
    }
    let kernel = context.kernels.floatProduct
    let columnsAtOnce = min(columns, max(MatrixProductStep.mostBytes / (4 * inner) / 64 * 64, 64))
    let rowsPerCall = 8 * kernel.rowsPerTile
    // Threads that share a matrix each lay out its columns.
    let units = stack.count * ((columns + columnsAtOnce - 1) / columnsAtOnce)
    let shares = units >= 2 * context.threads ? 1 : context.threads
    let share = (rows + shares - 1) / shares
    var layout = RegionLayout()
    _ = layout.add(rowsPerCall * MemoryLayout<UnsafePointer<Float>?>.stride)
    let weightsOffset = layout.add(
      FloatProductKernel.weightBytes(outputs: columnsAtOnce, depth: inner))
    parts = Parts(
      kernel: kernel, offsets: try context.consecutive(inner), columns: columnsAtOnce,
      rows: max(8, share), rowsPerCall: rowsPerCall, weightsOffset: weightsOffset)
    scratchBytes = layout.byteCount
  }

  var work: StepWork {
    StepWork(floatMACs: output.type == .float32 ? StepWork.product(output.count, inner) : 0)
  }

  func run(_ execution: Execution) {
    switch output.type {
    case .int32: run(Int32.self, zero: 0, execution) { $0 &+ $1 &* $2 }
    case .int64: run(Int64.self, zero: 0, execution) { $0 &+ $1 &* $2 }
    default:
      if let parts {
        run(parts, execution)
      } else {
        run(Float.self, zero: 0, execution) { $0 + $1 * $2 }
      }
    }
  }

  private func run(_ parts: Parts, _ execution: Execution) {
    let columnParts = (columns + parts.columns - 1) / parts.columns
    let rowParts = (rows + parts.rows - 1) / parts.rows
    let matrices = output.rows / rows
    execution.pool.run(matrices * columnParts * rowParts) { units, worker in
      for unit in units {
        let (rest, rowPart) = unit.quotientAndRemainder(dividingBy: rowParts)
        let (matrix, columnPart) = rest.quotientAndRemainder(dividingBy: columnParts)
        let (row, column) = (rowPart * parts.rows, columnPart * parts.columns)
        multiply(
          parts, matrix, rows: row..<min(row + parts.rows, rows),
          columns: column..<min(column + parts.columns, columns), execution.scratch(worker),
          execution)
      }
    }
  }

  private func multiply(
    _ parts: Parts, _ matrix: Int, rows part: Range<Int>, columns own: Range<Int>,
    _ scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    let (aMatrix, bMatrix) = operands(of: matrix)
    let packed = (scratch + parts.weightsOffset).assumingMemoryBound(to: Float.self)
    FloatProductKernel.packColumns(
      own.count, depth: inner,
      UnsafePointer(b.elements(Float.self, execution)) + bMatrix * inner * columns + own.lowerBound,
      stride: columns, into: packed)
    let pointers = scratch.assumingMemoryBound(to: UnsafePointer<Float>?.self)
    for first in stride(from: part.lowerBound, to: part.upperBound, by: parts.rowsPerCall) {
      let count = min(parts.rowsPerCall, part.upperBound - first)
      let x = UnsafePointer(a.elements(Float.self, execution)) + (aMatrix * rows + first) * inner
      for index in 0..<count { pointers[index] = x + index * inner }
      let y = output.elements(Float.self, execution) + (matrix * rows + first) * columns
      parts.kernel.multiply(
        FloatRows(
          count: count, depth: inner, rows: UnsafePointer(pointers),
          offsets: UnsafePointer(parts.offsets.pointer)),
        outputs: own.count, packedWeights: UnsafePointer(packed), out: y + own.lowerBound,
        stride: columns)
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
