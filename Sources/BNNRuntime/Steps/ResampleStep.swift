import BNNFormat
import BNNTensor

/// Weighted sums along axes, one after the other, made element by element.
final class ResampleStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  private let outside: Float
  /// The input's stride along each axis.
  private let strides: [Int]
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

  init(_ tables: [ResampleTable?], outside: Float, _ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    self.outside = outside
    let (strides, extents) = (input.shape.strides, output.shape.dimensions)
    self.strides = strides
    axes = tables.enumerated().compactMap { axis, table in
      table.map { table in
        var starts = [0]
        for position in 0..<extents[axis] {
          let count = table.counts.count == 1 ? table.counts[0] : table.counts[position]
          starts.append(starts[position] + Int(count))
        }
        return Axis(
          axis: axis, starts: starts, offsets: table.indices.map { Int($0) * strides[axis] },
          weights: table.weights)
      }
    }
  }

  /// A position along every axis.
  var scratchBytes: Int { strides.count * MemoryLayout<Int>.stride }
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
    let (x, y) = (input.floats(execution), output.floats(execution))
    forEachElement(execution) { at, first, index in
      y[at] =
        first.map { sum(axes.count - 1, x + $0, index) } ?? outside
    }
  }

  /// Elements that are not floats are picked: each position has one tap at most.
  private func pick<T: BitwiseCopyable>(_ type: T.Type, outside: T, _ execution: Execution) {
    let (x, y) = (input.elements(type, execution), output.elements(type, execution))
    forEachElement(execution) { at, first, index in
      y[at] =
        first.map { first in
          x[axes.reduce(first) { $0 + $1.offsets[$1.starts[index[$1.axis]]] }]
        } ?? outside
    }
  }

  /// Calls `body` with each element of the output, where the axes that stay place it in the input
  /// (nil where it lies outside along any other), and its position along every axis.
  private func forEachElement(
    _ execution: Execution, _ body: (Int, Int?, UnsafeMutablePointer<Int>) -> Void
  ) {
    execution.pool.run(output.count, grain: 1024) { range, worker in
      let index = execution.scratch(worker).assumingMemoryBound(to: Int.self)
      for at in range {
        var rest = at
        var first = 0
        for axis in strides.indices.reversed() {
          index[axis] = rest % output.shape[axis]
          rest /= output.shape[axis]
          first += index[axis] * strides[axis]
        }
        var isOutside = false
        for axis in axes {
          first -= index[axis.axis] * strides[axis.axis]
          let position = index[axis.axis]
          if axis.starts[position] == axis.starts[position + 1] { isOutside = true }
        }
        body(at, isOutside ? nil : first, index)
      }
    }
  }

  /// The sum along an axis of the sums along those before it.
  private func sum(
    _ level: Int, _ x: UnsafeMutablePointer<Float>, _ index: UnsafeMutablePointer<Int>
  ) -> Float {
    guard level >= 0 else { return x[0] }
    let axis = axes[level]
    let position = index[axis.axis]
    let taps = axis.starts[position]..<axis.starts[position + 1]
    if taps.count == 1, axis.weights[taps.lowerBound] == 1 {
      return sum(level - 1, x + axis.offsets[taps.lowerBound], index)
    }
    var total: Float = 0
    for tap in taps { total += axis.weights[tap] * sum(level - 1, x + axis.offsets[tap], index) }
    return total
  }
}
