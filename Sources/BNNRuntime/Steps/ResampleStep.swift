import BNNFormat
import BNNTensor

/// Weighted sums along axes, one after the other, of runs of elements: those along the axes after the
/// last one that changes, which are neighbours on both sides.
final class ResampleStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  private let outside: Float
  /// The axes up to the last one that changes: extents of the output, and the input's strides.
  private let extents: [Int]
  private let strides: [Int]
  /// Elements of a run, and how many of them are summed at once.
  private let runLength: Int
  private let atOnce: Int
  /// The axes that change, in order.
  private let axes: [Axis]

  private struct Axis {
    var axis: Int
    /// The first tap of each position, and one more entry for the end.
    var starts: [Int]
    /// In elements of the input.
    var offsets: [Int]
    var weights: [Float]
  }

  private static let mostAtOnce = 512

  init(_ tables: [ResampleTable?], outside: Float, _ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    self.outside = outside
    let (allStrides, shape) = (input.shape.strides, output.shape)
    let walked = (tables.lastIndex { $0 != nil } ?? -1) + 1
    extents = Array(shape.dimensions.prefix(walked))
    strides = Array(allStrides.prefix(walked))
    runLength = shape.dimensions.dropFirst(walked).reduce(1, *)
    atOnce = min(max(runLength, 1), ResampleStep.mostAtOnce)
    axes = tables.enumerated().compactMap { axis, table in
      table.map { table in
        var starts = [0]
        for position in 0..<shape.dimensions[axis] {
          let count = table.counts.count == 1 ? table.counts[0] : table.counts[position]
          starts.append(starts[position] + Int(count))
        }
        return Axis(
          axis: axis, starts: starts, offsets: table.indices.map { Int($0) * allStrides[axis] },
          weights: table.weights)
      }
    }
  }

  /// A position along every axis, and sums along each.
  var scratchBytes: Int {
    RegionLayout.aligned(extents.count * MemoryLayout<Int>.stride) + axes.count * atOnce * 4
  }
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
    forEachRun(execution) { run, first, index, scratch in
      let to = y + run * runLength
      guard let first else { return to.update(repeating: outside, count: runLength) }
      let sums = (scratch + RegionLayout.aligned(extents.count * MemoryLayout<Int>.stride))
        .assumingMemoryBound(to: Float.self)
      for start in stride(from: 0, to: runLength, by: atOnce) {
        sum(
          axes.count - 1, x + first + start, index, count: min(atOnce, runLength - start),
          to: to + start, sums: sums)
      }
    }
  }

  /// Elements that are not floats are picked: each position has one tap at most.
  private func pick<T: BitwiseCopyable>(_ type: T.Type, outside: T, _ execution: Execution) {
    let (x, y) = (input.elements(type, execution), output.elements(type, execution))
    forEachRun(execution) { run, first, index, _ in
      let to = y + run * runLength
      guard let first else { return to.update(repeating: outside, count: runLength) }
      let from = axes.reduce(first) { $0 + $1.offsets[$1.starts[index[$1.axis]]] }
      to.update(from: x + from, count: runLength)
    }
  }

  /// Calls `body` with each run of the output, where the axes that stay place it in the input (nil
  /// where it lies outside along any other), its position along every axis, and a worker's scratch.
  private func forEachRun(
    _ execution: Execution,
    _ body: (Int, Int?, UnsafeMutablePointer<Int>, UnsafeMutableRawPointer) -> Void
  ) {
    guard output.count > 0 else { return }
    execution.pool.run(output.count / runLength, grain: max(1, 2048 / runLength)) { runs, worker in
      let scratch = execution.scratch(worker)
      let index = scratch.assumingMemoryBound(to: Int.self)
      for run in runs {
        var rest = run
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
          if axis.starts[position] == axis.starts[position + 1] { isOutside = true }
        }
        body(run, isOutside ? nil : first, index, scratch)
      }
    }
  }

  /// The sums along an axis of the sums along those before it.
  private func sum(
    _ level: Int, _ x: UnsafePointer<Float>, _ index: UnsafeMutablePointer<Int>, count: Int,
    to out: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>
  ) {
    guard level >= 0 else { return out.update(from: x, count: count) }
    let position = index[axes[level].axis]
    let taps = axes[level].starts[position]..<axes[level].starts[position + 1]
    if taps.count == 1, axes[level].weights[taps.lowerBound] == 1 {
      let inner = x + axes[level].offsets[taps.lowerBound]
      return sum(level - 1, inner, index, count: count, to: out, sums: sums)
    }
    let own = sums + level * atOnce
    out.update(repeating: 0, count: count)
    for tap in taps {
      let (weight, inner) = (axes[level].weights[tap], x + axes[level].offsets[tap])
      if level == 0 {
        for at in 0..<count { out[at] += weight * inner[at] }
      } else {
        sum(level - 1, inner, index, count: count, to: own, sums: sums)
        for at in 0..<count { out[at] += weight * own[at] }
      }
    }
  }
}
