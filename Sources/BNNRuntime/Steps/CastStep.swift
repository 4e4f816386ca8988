import BNNTensor

/// Elements as another type: floats become integers by truncation and saturate, integers wrap
/// around, everything but 0 is true.
final class CastStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer

  init(_ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    execution.pool.run(output.count, grain: 8192) { range, _ in
      switch input.type {
      case .float32: ofFloats(range, execution)
      case .int32: ofIntegers(Int32.self, range, execution)
      case .int64: ofIntegers(Int64.self, range, execution)
      default: ofBools(range, execution)
      }
    }
  }

  private func ofFloats(_ range: Range<Int>, _ execution: Execution) {
    switch output.type {
    case .int32:
      map(range, execution) { (x: Float) in Int32(clamping: Int64(saturating: Double(x))) }
    case .int64: map(range, execution) { (x: Float) in Int64(saturating: Double(x)) }
    case .bool: map(range, execution) { (x: Float) in x != 0 }
    default: map(range, execution) { (x: Float) in x }
    }
  }

  private func ofIntegers<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ range: Range<Int>, _ execution: Execution
  ) {
    switch output.type {
    case .int32: map(range, execution) { (x: T) in Int32(truncatingIfNeeded: x) }
    case .int64: map(range, execution) { (x: T) in Int64(x) }
    case .bool: map(range, execution) { (x: T) in x != 0 }
    default: map(range, execution) { (x: T) in Float(x) }
    }
  }

  private func ofBools(_ range: Range<Int>, _ execution: Execution) {
    switch output.type {
    case .int32: map(range, execution) { (x: Bool) -> Int32 in x ? 1 : 0 }
    case .int64: map(range, execution) { (x: Bool) -> Int64 in x ? 1 : 0 }
    case .bool: map(range, execution) { (x: Bool) in x }
    default: map(range, execution) { (x: Bool) -> Float in x ? 1 : 0 }
    }
  }

  @inline(__always)
  private func map<A: BitwiseCopyable, R: BitwiseCopyable>(
    _ range: Range<Int>, _ execution: Execution, _ body: (A) -> R
  ) {
    let (x, y) = (input.elements(A.self, execution), output.elements(R.self, execution))
    for at in range { y[at] = body(x[at]) }
  }
}
