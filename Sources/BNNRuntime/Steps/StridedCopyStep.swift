import BNNTensor

/// Elements of a value in another order: the element at index i of the result lies in the input at
/// `offset` plus the sum of i · step over the axes. Transposes, slices and broadcasts.
final class StridedCopyStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  private let offset: Int
  /// The axes of the output before its last one, and the last one. Of elements, those that are one
  /// after the other on both sides are a single axis.
  private let outer: [Axis]
  private let outerButLast: [Axis]
  private let last: Axis
  /// The outer axis along which the input's elements follow each other, where those along the last
  /// one do not, and the other outer ones.
  private let rows: Axis?
  private let others: [Axis]
  /// Whether `rows` is along rows of the input, and steps along all other axes are whole ones.
  private let transposesRows: Bool

  /// An axis of the output, and what a step along it is in elements of both sides.
  private struct Axis {
    var extent: Int
    var from: Int
    var to: Int
  }

  /// - Parameter steps: one per axis of the output, in elements of the input.
  init(steps: [Int], offset: Int = 0, _ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    self.offset = offset
    let shape = output.shape
    var axes: [Axis] = []
    for (axis, step) in steps.enumerated() {
      let next = Axis(extent: shape.dimensions[axis], from: step, to: shape.strides[axis])
      if output.elementBytes != nil, let before = axes.last,
        before.extent == 1 || next.extent == 1 || before.from == next.from &* next.extent
      {
        let inner = next.extent == 1 ? before : next
        axes[axes.count - 1] = Axis(
          extent: before.extent &* next.extent, from: inner.from, to: inner.to)
      } else {
        axes.append(next)
      }
    }
    last = axes.popLast() ?? Axis(extent: 1, from: 1, to: 1)
    outer = axes
    outerButLast = Array(axes.dropLast())
    let row = last.from > 1 ? axes.firstIndex { $0.from == 1 } : nil
    rows = row.map { axes.remove(at: $0) }
    others = axes
    let channels = input.channels
    transposesRows =
      (rows?.extent ?? .max) <= channels
      && ([offset, last.from] + axes.map(\.from)).allSatisfy { $0 % channels == 0 }
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
    switch output.elementBytes {
    case nil:
      if let rows, transposesRows {
        transposeBits(rows, execution)
      } else {
        execution.pool.run(output.rows, grain: max(1, Self.grain / output.channels)) { rows, _ in
          for row in rows {
            moveBits(row: row, from: places(of: row, along: outer).from, execution)
          }
        }
      }
    case 1: move(UInt8.self, execution)
    case 4:
      if let rows {
        transpose(rows, execution)
      } else {
        move(UInt32.self, execution)
      }
    default: move(UInt64.self, execution)
    }
  }

  /// About how many elements a thread is given at a time.
  private static let grain = 4096

  /// Where the elements of a row, or of any combination of some axes, begin.
  private func places(of row: Int, along axes: [Axis]) -> (from: Int, to: Int) {
    var rest = row
    var (from, to) = (offset, 0)
    for axis in axes.reversed() {
      let index = rest % axis.extent
      from += index * axis.from
      to += index * axis.to
      rest /= axis.extent
    }
    return (from, to)
  }

  /// Runs of the input along an axis of the output before the last one: matrices with that axis as
  /// their rows and the last one as their columns, a part at a time.
  private func transpose(_ rows: Axis, _ execution: Execution) {
    let to = output.elements(UInt32.self, execution)
    let from = UnsafePointer(input.elements(UInt32.self, execution))
    let columnsAtOnce = min(last.extent, 256)
    let rowsAtOnce = min(rows.extent, max(16, Self.grain / columnsAtOnce / 16 * 16))
    forEachPart(
      others, rows, rowsAtOnce: rowsAtOnce, columnsAtOnce: columnsAtOnce, execution
    ) { rowCount, columnCount, source, target in
      LayoutKernel.transpose(
        rows: rowCount, columns: columnCount, from + source, fromStep: last.from, to: to + target,
        toStep: rows.to)
    }
  }

  /// Matrices of the last two axes, a part at a time.
  private func move<T: BitwiseCopyable>(_ type: T.Type, _ execution: Execution) {
    let to = output.elements(type, execution)
    let from = UnsafePointer(input.elements(type, execution))
    let rows = outer.last ?? Axis(extent: 1, from: 0, to: 0)
    let columnsAtOnce = min(last.extent, Self.grain)
    forEachPart(
      outerButLast, rows, rowsAtOnce: min(rows.extent, Self.grain / columnsAtOnce),
      columnsAtOnce: columnsAtOnce, execution
    ) { rowCount, columnCount, source, target in
      var (source, target) = (from + source, to + target)
      for _ in 0..<rowCount {
        if last.from == 1, columnCount >= Self.shortRun {
          target.update(from: source, count: columnCount)
        } else if last.from == 1 {
          for index in 0..<columnCount { target[index] = source[index] }
        } else {
          for index in 0..<columnCount { target[index] = source[index * last.from] }
        }
        source += rows.from
        target += rows.to
      }
    }
  }

  /// Runs below this are copied faster element by element.
  private static let shortRun = 16

  /// Calls `body` with parts of the matrices that `rows` and the last axis make for every combination
  /// of other axes: their rows and columns, and where they begin in the input and the output.
  private func forEachPart(
    _ others: [Axis], _ rows: Axis, rowsAtOnce: Int, columnsAtOnce: Int, _ execution: Execution,
    _ body: (Int, Int, Int, Int) -> Void
  ) {
    let rowParts = (rows.extent + rowsAtOnce - 1) / rowsAtOnce
    let columnParts = (last.extent + columnsAtOnce - 1) / columnsAtOnce
    let matrices = others.reduce(1) { $0 * $1.extent }
    execution.pool.run(
      matrices * rowParts * columnParts, grain: max(1, Self.grain / (rowsAtOnce * columnsAtOnce))
    ) { units, _ in
      var walk = units.lowerBound
      withUnsafeTemporaryAllocation(of: Int.self, capacity: max(1, others.count)) { index in
        // Where the first matrix begins; from one to the next, only few axes move.
        var (rest, part) = walk.quotientAndRemainder(dividingBy: rowParts * columnParts)
        var (source, target) = (offset, 0)
        for axis in others.indices.reversed() {
          index[axis] = rest % others[axis].extent
          rest /= others[axis].extent
          source += index[axis] * others[axis].from
          target += index[axis] * others[axis].to
        }
        while walk < units.upperBound {
          while part < rowParts * columnParts, walk < units.upperBound {
            let row = part / columnParts * rowsAtOnce
            let column = part % columnParts * columnsAtOnce
            body(
              min(rowsAtOnce, rows.extent - row), min(columnsAtOnce, last.extent - column),
              source + row * rows.from + column * last.from,
              target + row * rows.to + column * last.to)
            part += 1
            walk += 1
          }
          part = 0
          advance(&source, &target, index, others)
        }
      }
    }
  }

  /// To the next combination of some axes.
  private func advance(
    _ source: inout Int, _ target: inout Int, _ index: UnsafeMutableBufferPointer<Int>,
    _ axes: [Axis]
  ) {
    for at in axes.indices.reversed() {
      let axis = axes[at]
      source += axis.from
      target += axis.to
      index[at] += 1
      if index[at] < axis.extent { return }
      index[at] = 0
      source -= axis.from * axis.extent
      target -= axis.to * axis.extent
    }
  }

  /// The same as `transpose` with bits. Here each row of the output is an index of the outer axes.
  private func transposeBits(_ rows: Axis, _ execution: Execution) {
    let to = output.bits(execution)
    let from = UnsafePointer(input.bits(execution))
    let matrices = others.reduce(1) { $0 * $1.extent }
    let parts = (rows.extent + 63) / 64
    execution.pool.run(
      matrices * parts, grain: max(1, 16 * Self.grain / 64 / last.extent)
    ) { units, _ in
      for unit in units {
        let (matrix, part) = unit.quotientAndRemainder(dividingBy: parts)
        let first = places(of: matrix, along: others)
        let toRow = (first.to + part * 64 * rows.to) / output.channels
        LayoutKernel.transposeBits(
          rows: min(64, rows.extent - part * 64), columns: last.extent,
          from + first.from / input.channels * input.words + part,
          fromStep: last.from / input.channels * input.words,
          to: to + toRow * output.words, toStep: rows.to / output.channels * output.words)
      }
    }
  }

  private func moveBits(row: Int, from first: Int, _ execution: Execution) {
    let to = output.bits(execution) + row * output.words
    let from = UnsafePointer(input.bits(execution))
    to.update(repeating: 0, count: output.words)
    if last.from == 1 {
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
      let (inputRow, bit) = (first + channel * last.from)
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
