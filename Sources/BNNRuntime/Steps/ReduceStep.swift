import BNNFormat
import BNNTensor

/// Mean, sum, maximum or minimum over axes, combined in row-major order of what is reduced.
final class ReduceStep: ExecutionStep {
  private let kind: ReduceKind
  private let input: Buffer
  private let output: Buffer
  private let kernels: Kernels
  /// Results are made in runs: neighbours along the last axis where that stays, else one by one.
  private let runLength: Int
  private let kept: Walk
  private let reduced: Walk

  /// Some of the input's axes, and how far its elements are apart along each.
  private struct Walk {
    var extents: [Int] = []
    var steps: [Int] = []
    var count: Int { extents.reduce(1, *) }

    func offset(_ index: Int) -> Int {
      var rest = index
      var offset = 0
      for axis in extents.indices.reversed() {
        offset += rest % extents[axis] * steps[axis]
        rest /= extents[axis]
      }
      return offset
    }
  }

  init(_ kind: ReduceKind, axes: [Int], _ context: LayerContext) throws(RuntimeError) {
    self.kind = kind
    input = context.inputs[0]
    output = context.outputs[0]
    kernels = context.kernels
    let strides = input.shape.strides
    let last = input.shape.rank - 1
    let keepsLast = last >= 0 && !axes.contains(last)
    runLength = keepsLast ? input.shape[last] : 1
    var kept = Walk()
    var reduced = Walk()
    for axis in 0..<input.shape.rank where !(keepsLast && axis == last) {
      if axes.contains(axis) {
        reduced.extents.append(input.shape[axis])
        reduced.steps.append(strides[axis])
      } else {
        kept.extents.append(input.shape[axis])
        kept.steps.append(strides[axis])
      }
    }
    self.kept = kept
    self.reduced = reduced
  }

  var work: StepWork { StepWork(kernel: kernels.pointwise.name) }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    let (source, target) = (input.floats(execution), output.floats(execution))
    let count = reduced.count
    execution.pool.run(kept.count, grain: max(1, 4096 / (runLength * max(count, 1)))) { runs, _ in
      for run in runs {
        let first = source + kept.offset(run)
        let y = target + run * runLength
        if runLength == 1 {
          y[0] = reduceOne(first)
        } else {
          reduceRun(first, to: y)
        }
      }
    }
  }

  private var neutral: Float {
    switch kind {
    case .mean, .sum: 0
    case .maximum: -.infinity
    case .minimum: .infinity
    }
  }

  private func reduceOne(_ x: UnsafeMutablePointer<Float>) -> Float {
    var result = neutral
    for index in 0..<reduced.count {
      let value = x[reduced.offset(index)]
      switch kind {
      case .mean, .sum: result += value
      case .maximum: result = propagatingMaximum(result, value)
      case .minimum: result = propagatingMinimum(result, value)
      }
    }
    return kind == .mean ? result / Float(reduced.count) : result
  }

  private func reduceRun(_ x: UnsafeMutablePointer<Float>, to y: UnsafeMutablePointer<Float>) {
    y.update(repeating: neutral, count: runLength)
    for index in 0..<reduced.count {
      let values = x + reduced.offset(index)
      switch kind {
      case .mean, .sum: kernels.pointwise.add(runLength, y, values, to: y)
      case .maximum:
        for at in 0..<runLength { y[at] = propagatingMaximum(y[at], values[at]) }
      case .minimum:
        for at in 0..<runLength { y[at] = propagatingMinimum(y[at], values[at]) }
      }
    }
    if kind == .mean {
      kernels.pointwise.divide(runLength, y, by: Float(reduced.count), to: y)
    }
  }
}
