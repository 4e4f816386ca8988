import BNNFormat
import BNNTensor

/// Mean, sum, maximum and so on over axes.
final class ReduceStep: ExecutionStep {
  private let kind: ReduceFunction
  private let input: Buffer
  private let output: Buffer
  private let kernels: Kernels
  /// Results are made in runs: neighbours along the last axis where that stays, else one by one.
  private let runLength: Int
  private let kept: Walk
  private let reduced: Walk

  private static let summedAtOnce = 1 << 12

  /// Some of the input's axes, and how far its elements are apart along each; those along which they
  /// follow each other are one.
  private struct Walk {
    private var extents: [Int] = []
    private var steps: [Int] = []
    var count: Int { extents.reduce(1, *) }

    mutating func append(extent: Int, step: Int) {
      if let last = steps.last, last == extent &* step {
        extents[extents.count - 1] *= extent
        steps[steps.count - 1] = step
      } else {
        extents.append(extent)
        steps.append(step)
      }
    }

    /// Elements along the last axis, and the step between them.
    var line: (length: Int, step: Int) { (extents.last ?? 1, steps.last ?? 1) }
    var lines: Int { extents.dropLast().reduce(1, *) }

    func offset(line: Int) -> Int { offset(line, extents.count - 1) }
    func offset(_ index: Int) -> Int { offset(index, extents.count) }

    /// The offset of an index of the first axes.
    private func offset(_ index: Int, _ axes: Int) -> Int {
      var rest = index
      var offset = 0
      for axis in stride(from: axes - 1, through: 0, by: -1) {
        offset += rest % extents[axis] * steps[axis]
        rest /= extents[axis]
      }
      return offset
    }
  }

  init(_ kind: ReduceFunction, axes: [Int], _ context: LayerContext) throws(RuntimeError) {
    self.kind = kind
    input = context.inputs[0]
    output = context.outputs[0]
    kernels = context.kernels
    let strides = input.shape.strides
    let last = input.shape.rank - 1
    let keepsLast =
      last >= 0 && !axes.contains(last) && input.type == .float32 && kind.combinesRuns
    runLength = keepsLast ? input.shape[last] : 1
    var kept = Walk()
    var reduced = Walk()
    for axis in 0..<input.shape.rank where !(keepsLast && axis == last) {
      if axes.contains(axis) {
        reduced.append(extent: input.shape[axis], step: strides[axis])
      } else {
        kept.append(extent: input.shape[axis], step: strides[axis])
      }
    }
    self.kept = kept
    self.reduced = reduced
  }

  var work: StepWork { StepWork(kernel: kernels.pointwise.name) }

  func run(_ execution: Execution) {
    switch input.type {
    case .int32: reduceIntegers(Int32.self, execution)
    case .int64: reduceIntegers(Int64.self, execution)
    default: reduceFloats(execution)
    }
  }

  private func reduceFloats(_ execution: Execution) {
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
    case .maximum: -.infinity
    case .minimum: .infinity
    case .product: 1
    default: 0
    }
  }

  private func reduceOne(_ x: UnsafeMutablePointer<Float>) -> Float {
    if kind == .logSumExp { return logSumExp(x) }
    var result = neutral
    for line in 0..<reduced.lines {
      let own = reducedLine(UnsafePointer(x) + reduced.offset(line: line))
      switch kind {
      case .product: result *= own
      case .maximum: result = propagatingMaximum(result, own)
      case .minimum: result = propagatingMinimum(result, own)
      default: result += own
      }
    }
    switch kind {
    case .mean: return result / Float(reduced.count)
    case .l2: return result.squareRoot()
    case .logSum: return Float.logarithm(result)
    default: return result
    }
  }

  /// Of the numbers along the last axis; the order of sums of neighbors is that of the kernel.
  private func reducedLine(_ x: UnsafePointer<Float>) -> Float {
    let (count, step) = reduced.line
    var result = neutral
    switch kind {
    case .mean, .sum, .logSum, .logSumExp:
      if step == 1 {
        // In parts, so that no sum is so large that what is added to it loses its bits.
        for first in stride(from: 0, to: count, by: ReduceStep.summedAtOnce) {
          let part = min(ReduceStep.summedAtOnce, count - first)
          result += kernels.pointwise.sum(part, x + first)
        }
        return result
      }
      for index in 0..<count { result += x[index * step] }
    case .maximum:
      if step == 1 { return kernels.pointwise.maximum(count, x) }
      for index in 0..<count { result = propagatingMaximum(result, x[index * step]) }
    case .minimum:
      for index in 0..<count { result = propagatingMinimum(result, x[index * step]) }
    case .product: for index in 0..<count { result *= x[index * step] }
    case .l1: for index in 0..<count { result += x[index * step].magnitude }
    case .l2, .sumSquare: for index in 0..<count { result += x[index * step] * x[index * step] }
    }
    return result
  }

  /// The largest exponent is taken out first, so that nothing overflows.
  private func logSumExp(_ x: UnsafeMutablePointer<Float>) -> Float {
    var largest = -Float.infinity
    for index in 0..<reduced.count {
      largest = propagatingMaximum(largest, x[reduced.offset(index)])
    }
    guard largest.isFinite else { return largest }
    var sum: Float = 0
    for index in 0..<reduced.count {
      sum += Float.exponential(x[reduced.offset(index)] - largest)
    }
    return largest + Float.logarithm(sum)
  }

  /// Wraps around; the mean truncates, and is 0 of nothing.
  private func reduceIntegers<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ execution: Execution
  ) {
    let (source, target) = (input.elements(type, execution), output.elements(type, execution))
    let count = reduced.count
    execution.pool.run(output.count, grain: max(1, 4096 / max(count, 1))) { results, _ in
      for at in results {
        let x = source + kept.offset(at)
        var result: Int64 =
          switch kind {
          case .product: 1
          case .maximum: Int64(T.min)
          case .minimum: Int64(T.max)
          default: 0
          }
        for index in 0..<count { result = combined(result, Int64(x[reduced.offset(index)])) }
        if kind == .mean { result = count == 0 ? 0 : result / Int64(count) }
        target[at] = T(truncatingIfNeeded: result)
      }
    }
  }

  @inline(__always)
  private func combined(_ result: Int64, _ value: Int64) -> Int64 {
    switch kind {
    case .product: result &* value
    case .maximum: max(result, value)
    case .minimum: min(result, value)
    case .l1: result &+ (value < 0 ? 0 &- value : value)
    case .sumSquare: result &+ value &* value
    default: result &+ value
    }
  }

  private func reduceRun(_ x: UnsafeMutablePointer<Float>, to y: UnsafeMutablePointer<Float>) {
    y.update(repeating: neutral, count: runLength)
    for index in 0..<reduced.count {
      let values = x + reduced.offset(index)
      switch kind {
      case .maximum:
        for at in 0..<runLength { y[at] = propagatingMaximum(y[at], values[at]) }
      case .minimum:
        for at in 0..<runLength { y[at] = propagatingMinimum(y[at], values[at]) }
      default: kernels.pointwise.combine(.add, runLength, y, values, to: y)
      }
    }
    if kind == .mean {
      kernels.pointwise.combine(.divide, runLength, y, Float(reduced.count), to: y)
    }
  }
}

extension ReduceFunction {
  /// Whether neighbouring results can be made together, by adding or comparing whole runs.
  fileprivate var combinesRuns: Bool {
    switch self {
    case .mean, .sum, .maximum, .minimum: true
    default: false
    }
  }
}
