import BNNTensor

/// Elements of a value in another order: the element at index i of the result lies in the input at
/// `offset` plus the sum of i · step over the axes. Transposes, slices and broadcasts.
final class StridedCopyStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  private let offset: Int
  /// Extents of the output before its last axis, and the input's step in elements along each.
  private let extents: [Int]
  private let steps: [Int]
  /// The input's step along the output's last axis.
  private let lastStep: Int

  /// - Parameter steps: one per axis of the output, in elements of the input.
  init(steps: [Int], offset: Int = 0, _ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    self.offset = offset
    extents = output.shape.dimensions.dropLast()
    self.steps = steps.dropLast()
    lastStep = steps.last ?? 1
  }

  /// Output axis i is input axis `permutation[i]`.
  convenience init(permutation: [Int], _ context: LayerContext) {
    let strides = context.inputs[0].shape.strides
    self.init(steps: permutation.map { strides[$0] }, context)
  }

  /// Every `steps`-th position from `starts` on.
  convenience init(starts: [Int], steps: [Int], _ context: LayerContext) {
    let strides = context.inputs[0].shape.strides
    self.init(
      steps: zip(strides, steps).map { $0 &* $1 },
      offset: zip(strides, starts).reduce(0) { $0 &+ $1.0 &* $1.1 }, context)
  }

  /// The input repeated to the output's shape.
  convenience init(expanding context: LayerContext) {
    self.init(
      steps: context.inputs[0].shape.steps(broadcastTo: context.outputs[0].shape), context)
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    if output.elementBytes == 4, steps.last == 1, lastStep > 0 { return interleave(execution) }
    execution.pool.run(output.rows, grain: max(1, 4096 / output.channels)) { rows, _ in
      for row in rows {
        let from = source(of: row)
        switch output.elementBytes {
        case nil: moveBits(row: row, from: from, execution)
        case 1: move(UInt8.self, row: row, from: from, execution)
        case 4: move(UInt32.self, row: row, from: from, execution)
        default: move(UInt64.self, row: row, from: from, execution)
        }
      }
    }
  }

  /// Runs of the input become columns of the output.
  private func interleave(_ execution: Execution) {
    let to = output.elements(UInt32.self, execution)
    let from = UnsafePointer(input.elements(UInt32.self, execution))
    let extent = extents[extents.count - 1]
    execution.pool.run(output.rows, grain: max(1, 4096 / output.channels)) { rows, _ in
      var row = rows.lowerBound
      while row < rows.upperBound {
        let count = min(rows.upperBound - row, extent - row % extent)
        LayoutKernel.interleave(
          count, planes: output.channels, from + source(of: row), planeStep: lastStep,
          to: to + row * output.channels)
        row += count
      }
    }
  }

  /// The index of the input's element that comes first in a row of the output.
  private func source(of row: Int) -> Int {
    var rest = row
    var index = offset
    for axis in extents.indices.reversed() {
      index += rest % extents[axis] * steps[axis]
      rest /= extents[axis]
    }
    return index
  }

  private func move<T: BitwiseCopyable>(
    _ type: T.Type, row: Int, from first: Int, _ execution: Execution
  ) {
    let to = output.elements(type, execution) + row * output.channels
    let from = input.elements(type, execution) + first
    if lastStep == 1 {
      to.update(from: from, count: output.channels)
    } else {
      for channel in 0..<output.channels { to[channel] = from[channel * lastStep] }
    }
  }

  private func moveBits(row: Int, from first: Int, _ execution: Execution) {
    let to = output.bits(execution) + row * output.words
    let from = UnsafePointer(input.bits(execution))
    to.update(repeating: 0, count: output.words)
    if lastStep == 1 {
      let (inputRow, bit) = first.quotientAndRemainder(dividingBy: input.channels)
      let source = from + inputRow * input.words
      if bit == 0, output.channels == input.channels {
        to.update(from: source, count: output.words)
      } else {
        BitKernel.copy(output.channels, from: source, at: bit, to: to, at: 0)
      }
      return
    }
    for channel in 0..<output.channels {
      let (inputRow, bit) = (first + channel * lastStep)
        .quotientAndRemainder(dividingBy: input.channels)
      let word = from[inputRow * input.words + bit / 64]
      to[channel / 64] |= (word >> UInt64(bit % 64) & 1) << UInt64(channel % 64)
    }
  }
}

extension Shape {
  /// The step in elements along each axis of a shape that this one broadcasts to.
  func steps(broadcastTo result: Shape) -> [Int] {
    let missing = result.rank - rank
    let strides = strides
    return (0..<result.rank).map { axis in
      axis < missing || self[axis - missing] == 1 ? 0 : strides[axis - missing]
    }
  }
}
