import BNNFormat
import BNNTensor

/// A function of the elements of operands that are broadcast together.
final class ElementwiseStep: ExecutionStep {
  private let function: ElementwiseFunction
  private let inputs: [Buffer]
  private let output: Buffer
  private let walk: BroadcastWalk
  private let pointwise: PointwiseKernel

  init(_ function: ElementwiseFunction, _ context: LayerContext) {
    self.function = function
    inputs = context.inputs
    output = context.outputs[0]
    walk = BroadcastWalk(inputs.map(\.shape), result: output.shape)
    pointwise = context.kernels.pointwise
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    execution.pool.run(output.count, grain: 8192) { range, _ in
      switch function {
      case .arithmetic(let function): arithmetic(function, range, execution)
      case .comparison(let function): comparison(function, range, execution)
      case .logical(let function): logical(function, range, execution)
      case .bitwise(let function):
        if output.type == .int32 {
          bitwise(Int32.self, function, range, execution)
        } else {
          bitwise(Int64.self, function, range, execution)
        }
      case .select: select(range, execution)
      }
    }
  }

  // MARK: Functions

  private func arithmetic(_ function: BinaryFunction, _ range: Range<Int>, _ execution: Execution) {
    switch (output.type, inputs[1].type) {
    case (.int32, .float32): realPower(Int32.self, range, execution)
    case (.int64, .float32): realPower(Int64.self, range, execution)
    case (.int32, _): integers(Int32.self, function, range, execution)
    case (.int64, _): integers(Int64.self, function, range, execution)
    default: floats(function, range, execution)
    }
  }

  private func floats(_ function: BinaryFunction, _ range: Range<Int>, _ execution: Execution) {
    switch function {
    case .add: combine(.add, range, execution)
    case .subtract: combine(.subtract, range, execution)
    case .multiply: combine(.multiply, range, execution)
    case .divide: combine(.divide, range, execution)
    default:
      let body: (Float, Float) -> Float = function.floatFunction()
      map(range, execution, body)
    }
  }

  private func combine(
    _ operation: PointwiseKernel.Arithmetic, _ range: Range<Int>, _ execution: Execution
  ) {
    let (a, b) = (inputs[0].floats(execution), inputs[1].floats(execution))
    let y = output.floats(execution)
    let (aStep, bStep) = (walk.step(0), walk.step(1))
    walk.forEachRun(in: range) { at, count, starts in
      pointwise.combine(
        operation, count, a + starts.0, step: aStep, b + starts.1, step: bStep, to: y + at)
    }
  }

  private func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ function: BinaryFunction, _ range: Range<Int>, _ execution: Execution
  ) {
    switch function {
    case .add: map(range, execution) { (a: T, b: T) -> T in a &+ b }
    case .subtract: map(range, execution) { (a: T, b: T) -> T in a &- b }
    case .multiply: map(range, execution) { (a: T, b: T) -> T in a &* b }
    default:
      let body = function.integerFunction
      map(range, execution) { (a: T, b: T) -> T in
        T(truncatingIfNeeded: body(Int64(a), Int64(b)))
      }
    }
  }

  private func realPower<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ range: Range<Int>, _ execution: Execution
  ) {
    map(range, execution) { (a: T, b: Float) -> T in
      T(clamping: Int64(saturating: Double.power(Double(a), Double(b))))
    }
  }

  private func comparison(
    _ function: ComparisonFunction, _ range: Range<Int>, _ execution: Execution
  ) {
    switch inputs[0].type {
    case .int32: compare(Int32.self, function, range, execution)
    case .int64: compare(Int64.self, function, range, execution)
    case .bool: map(range, execution) { (a: Bool, b: Bool) -> Bool in a == b }
    default: compare(Float.self, function, range, execution)
    }
  }

  private func compare<T: Comparable & BitwiseCopyable>(
    _ type: T.Type, _ function: ComparisonFunction, _ range: Range<Int>, _ execution: Execution
  ) {
    switch function {
    case .equal: map(range, execution) { (a: T, b: T) -> Bool in a == b }
    case .less: map(range, execution) { (a: T, b: T) -> Bool in a < b }
    case .lessOrEqual: map(range, execution) { (a: T, b: T) -> Bool in a <= b }
    case .greater: map(range, execution) { (a: T, b: T) -> Bool in a > b }
    case .greaterOrEqual: map(range, execution) { (a: T, b: T) -> Bool in a >= b }
    }
  }

  private func logical(
    _ function: LogicalFunction, _ range: Range<Int>, _ execution: Execution
  ) {
    switch function {
    case .and: map(range, execution) { (a: Bool, b: Bool) -> Bool in a && b }
    case .or: map(range, execution) { (a: Bool, b: Bool) -> Bool in a || b }
    case .xor: map(range, execution) { (a: Bool, b: Bool) -> Bool in a != b }
    case .not:
      let (x, y) = (
        inputs[0].elements(Bool.self, execution), output.elements(Bool.self, execution)
      )
      for at in range { y[at] = !x[at] }
    }
  }

  /// A shift by the type's width or more, or by a negative number, gives 0.
  private func bitwise<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ function: BitwiseFunction, _ range: Range<Int>, _ execution: Execution
  ) {
    let widths = 0..<T(T.bitWidth)
    switch function {
    case .and: map(range, execution) { (a: T, b: T) -> T in a & b }
    case .or: map(range, execution) { (a: T, b: T) -> T in a | b }
    case .xor: map(range, execution) { (a: T, b: T) -> T in a ^ b }
    case .shiftLeft: map(range, execution) { (a: T, b: T) -> T in widths.contains(b) ? a << b : 0 }
    case .shiftRight: map(range, execution) { (a: T, b: T) -> T in widths.contains(b) ? a >> b : 0 }
    case .not:
      let (x, y) = (inputs[0].elements(type, execution), output.elements(type, execution))
      for at in range { y[at] = ~x[at] }
    }
  }

  private func select(_ range: Range<Int>, _ execution: Execution) {
    switch output.elementBytes {
    case 1: select(UInt8.self, range, execution)
    case 4: select(UInt32.self, range, execution)
    default: select(UInt64.self, range, execution)
    }
  }

  private func select<T: BitwiseCopyable>(
    _ type: T.Type, _ range: Range<Int>, _ execution: Execution
  ) {
    let test = inputs[0].elements(Bool.self, execution)
    let (a, b) = (inputs[1].elements(type, execution), inputs[2].elements(type, execution))
    let y = output.elements(type, execution)
    let (testStep, aStep, bStep) = (walk.step(0), walk.step(1), walk.step(2))
    walk.forEachRun(in: range) { at, count, starts in
      // Both operands are read, so that nothing branches.
      let (test, a, b, y) = (test + starts.0, a + starts.1, b + starts.2, y + at)
      if testStep == 1, aStep == 1, bStep == 1 {
        for index in 0..<count {
          let (whenTrue, whenFalse) = (a[index], b[index])
          y[index] = test[index] ? whenTrue : whenFalse
        }
      } else {
        for index in 0..<count {
          let (whenTrue, whenFalse) = (a[index * aStep], b[index * bStep])
          y[index] = test[index * testStep] ? whenTrue : whenFalse
        }
      }
    }
  }

  /// Makes the elements of a range from those of two operands.
  @inline(__always)
  private func map<A: BitwiseCopyable, B: BitwiseCopyable, R: BitwiseCopyable>(
    _ range: Range<Int>, _ execution: Execution, _ body: (A, B) -> R
  ) {
    let (a, b) = (inputs[0].elements(A.self, execution), inputs[1].elements(B.self, execution))
    let y = output.elements(R.self, execution)
    let (aStep, bStep) = (walk.step(0), walk.step(1))
    walk.forEachRun(in: range) { at, count, starts in
      let (x, z) = (a + starts.0, b + starts.1)
      if aStep == 1, bStep == 1 {
        for index in 0..<count { y[at + index] = body(x[index], z[index]) }
      } else {
        for index in 0..<count { y[at + index] = body(x[index * aStep], z[index * bStep]) }
      }
    }
  }
}
