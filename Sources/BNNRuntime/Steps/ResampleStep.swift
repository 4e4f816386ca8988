import BNNFormat
import BNNTensor

/// Weighted sums along axes, one after the other, of runs of elements: those along the axes after the
/// last one that changes, which are neighbors on both sides.
///
/// A line of the output, along the last axis that changes, is made of a line of sums along the axes
/// before it, which is as long as the input's.
final class ResampleStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  private let outside: Float
  /// The axes before the last one that changes: extents of the output, and the input's strides.
  private let extents: [Int]
  private let strides: [Int]
  /// Elements of a run, and how many of them are summed at once.
  private let runLength: Int
  private let atOnce: Int
  /// The last axis that changes, and those before it that do.
  private let last: Axis
  private let axes: [Axis]

  private struct Axis {
    var axis: Int
    var inputExtent: Int
    /// The first tap of each position, and one more entry for the end.
    var starts: [Int]
    /// In elements of the input.
    var offsets: [Int]
    var weights: [Float]

    var extent: Int { starts.count - 1 }
    func taps(_ position: Int) -> Range<Int> { starts[position]..<starts[position + 1] }
  }

  /// Numbers of a line of sums, if runs are not too short.
  private static let lineLength = 1 << 14

  init(_ tables: [ResampleTable?], outside: Float, _ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    self.outside = outside
    let (inputShape, shape) = (input.shape, output.shape)
    let allStrides = inputShape.strides
    var axes = tables.enumerated().compactMap { axis, table in
      table.map { table in
        var starts = [0]
        for position in 0..<shape.dimensions[axis] {
          let count = table.counts.count == 1 ? table.counts[0] : table.counts[position]
          starts.append(starts[position] + Int(count))
        }
        return Axis(
          axis: axis, inputExtent: inputShape[axis], starts: starts,
          offsets: table.indices.map { Int($0) * allStrides[axis] }, weights: table.weights)
      }
    }
    // Where none changes, the output is one position of one line.
    last =
      axes.popLast()
      ?? Axis(axis: 0, inputExtent: 1, starts: [0, 1], offsets: [0], weights: [1])
    self.axes = axes
    let walked = tables.contains { $0 != nil } ? last.axis : 0
    extents = Array(shape.dimensions.prefix(walked))
    strides = Array(allStrides.prefix(walked))
    runLength = shape.count / max(1, extents.reduce(1, *) * last.extent)
    atOnce = min(max(runLength, 1), max(16, ResampleStep.lineLength / last.inputExtent / 16 * 16))
  }

  /// A position along every axis, and a line of sums along each axis but the last.
  var scratchBytes: Int { indexBytes + axes.count * last.inputExtent * atOnce * 4 }
  private var indexBytes: Int { RegionLayout.aligned(extents.count * MemoryLayout<Int>.stride) }
  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    switch output.elementBytes {
    case 1: pick(UInt8.self, outside: 0, execution)
    case 8: pick(UInt64.self, outside: 0, execution)
    default:
      if output.type == .float32 {
        weigh(execution)
      } else {
        pick(UInt32.self, outside: 0, execution)
      }
    }
  }

  private func weigh(_ execution: Execution) {
    let (x, y) = (UnsafePointer(input.floats(execution)), output.floats(execution))
    forEachLine(execution) { line, start, first, index, scratch in
      let to = y + line * last.extent * runLength + start
      let count = min(atOnce, runLength - start)
      guard let first else {
        for position in 0..<last.extent {
          (to + position * runLength).update(repeating: outside, count: count)
        }
        return
      }
      let sums = (scratch + indexBytes).assumingMemoryBound(to: Float.self)
      let (from, step) = lineOfSums(x + first + start, index, count: count, sums: sums)
      weighLine(from, step: step, count: count, to: to)
    }
  }

  /// The line of sums along the axes before the last one, and from one of its runs to the next.
  private func lineOfSums(
    _ x: UnsafePointer<Float>, _ index: UnsafeMutablePointer<Int>, count: Int,
    sums: UnsafeMutablePointer<Float>
  ) -> (UnsafePointer<Float>, Int) {
    var x = x
    var level = axes.count - 1
    // Positions that are copied along an axis need no sums there.
    while level >= 0, let tap = onlyTap(of: axes[level], index) {
      x += axes[level].offsets[tap]
      level -= 1
    }
    guard level >= 0 else { return (x, runLength) }
    if count == runLength {
      sum(level, x, index, count: last.inputExtent * runLength, to: sums, inner: 1, sums: sums)
      return (UnsafePointer(sums), runLength)
    }
    for position in 0..<last.inputExtent {
      sum(
        level, x + position * runLength, index, count: count, to: sums + position * count,
        inner: 1, sums: sums)
    }
    return (UnsafePointer(sums), count)
  }

  /// The tap of an axis' position where it is the only one and its weight is 1.
  private func onlyTap(of axis: Axis, _ index: UnsafeMutablePointer<Int>) -> Int? {
    let taps = axis.taps(index[axis.axis])
    return taps.count == 1 && axis.weights[taps.lowerBound] == 1 ? taps.lowerBound : nil
  }

  /// The sums along an axis of the sums along those before it, for which there are further lines.
  private func sum(
    _ level: Int, _ x: UnsafePointer<Float>, _ index: UnsafeMutablePointer<Int>, count: Int,
    to out: UnsafeMutablePointer<Float>, inner: Int, sums: UnsafeMutablePointer<Float>
  ) {
    guard level >= 0 else { return out.update(from: x, count: count) }
    let axis = axes[level]
    if let tap = onlyTap(of: axis, index) {
      return sum(
        level - 1, x + axis.offsets[tap], index, count: count, to: out, inner: inner, sums: sums)
    }
    let own = sums + inner * last.inputExtent * atOnce
    out.update(repeating: 0, count: count)
    for tap in axis.taps(index[axis.axis]) {
      let weight = axis.weights[tap]
      var from = x + axis.offsets[tap]
      if level > 0 {
        sum(level - 1, from, index, count: count, to: own, inner: inner + 1, sums: sums)
        from = UnsafePointer(own)
      }
      for at in 0..<count { out[at] += weight * from[at] }
    }
  }

  /// The sums along the last axis. Offsets count elements of runs that follow each other.
  private func weighLine(
    _ from: UnsafePointer<Float>, step: Int, count: Int, to: UnsafeMutablePointer<Float>
  ) {
    last.starts.withUnsafeBufferPointer { starts in
      last.offsets.withUnsafeBufferPointer { offsets in
        last.weights.withUnsafeBufferPointer { weights in
          for position in 0..<last.extent {
            let out = to + position * runLength
            let first = starts[position]
            func run(_ tap: Int) -> UnsafePointer<Float> {
              from + (step == runLength ? offsets[tap] : offsets[tap] / runLength * step)
            }
            switch starts[position + 1] - first {
            case 0: out.update(repeating: outside, count: count)
            case 1 where weights[first] == 1: out.update(from: run(first), count: count)
            case 2:
              let (a, b) = (run(first), run(first + 1))
              let (aWeight, bWeight) = (weights[first], weights[first + 1])
              for at in 0..<count { out[at] = (0 + aWeight * a[at]) + bWeight * b[at] }
            default:
              out.update(repeating: 0, count: count)
              for tap in first..<starts[position + 1] {
                let (weight, x) = (weights[tap], run(tap))
                for at in 0..<count { out[at] += weight * x[at] }
              }
            }
          }
        }
      }
    }
  }

  /// Elements that are not floats are picked: each position has one tap at most.
  private func pick<T: BitwiseCopyable>(_ type: T.Type, outside: T, _ execution: Execution) {
    let (x, y) = (input.elements(type, execution), output.elements(type, execution))
    forEachLine(execution) { line, start, first, index, _ in
      let count = min(atOnce, runLength - start)
      let from = first.map { first in
        axes.reduce(first) { $0 + $1.offsets[$1.starts[index[$1.axis]]] }
      }
      for position in 0..<last.extent {
        let to = y + (line * last.extent + position) * runLength + start
        let taps = last.taps(position)
        if let from, !taps.isEmpty {
          to.update(from: x + from + last.offsets[taps.lowerBound] + start, count: count)
        } else {
          to.update(repeating: outside, count: count)
        }
      }
    }
  }

  /// Calls `body` with each line of the output and a part of its runs: where the axes that stay place
  /// it in the input (nil where it lies outside along any other), its position along every axis, and
  /// a worker's scratch.
  private func forEachLine(
    _ execution: Execution,
    _ body: (Int, Int, Int?, UnsafeMutablePointer<Int>, UnsafeMutableRawPointer) -> Void
  ) {
    guard output.count > 0 else { return }
    let parts = (runLength + atOnce - 1) / atOnce
    let lines = output.count / runLength / last.extent
    execution.pool.run(
      lines * parts, grain: max(1, 2048 / (atOnce * last.extent))
    ) { units, worker in
      let scratch = execution.scratch(worker)
      let index = scratch.assumingMemoryBound(to: Int.self)
      for unit in units {
        let (line, part) = unit.quotientAndRemainder(dividingBy: parts)
        var rest = line
        var first = 0
        for axis in extents.indices.reversed() {
          index[axis] = rest % extents[axis]
          rest /= extents[axis]
          first += index[axis] * strides[axis]
        }
        var isOutside = false
        for axis in axes {
          let position = index[axis.axis]
          first -= position * strides[axis.axis]
          if axis.taps(position).isEmpty { isOutside = true }
        }
        body(line, part * atOnce, isOutside ? nil : first, index, scratch)
      }
    }
  }
}
