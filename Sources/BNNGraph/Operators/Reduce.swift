import BNNTensor

/// ONNX `ReduceMean`, `ReduceSum` and so on. Inputs: x, optional axes (attributes of old opsets
/// are imported as constants).
public struct Reduce: Operator, Hashable {
  public var kind: Kind
  public var keepDimensions: Bool
  /// ONNX `noop_with_empty_axes`.
  public var emptyAxesIsIdentity: Bool

  public typealias Kind = ReduceFunction

  public init(kind: Kind, keepDimensions: Bool = true, emptyAxesIsIdentity: Bool = false) {
    self.kind = kind
    self.keepDimensions = keepDimensions
    self.emptyAxesIsIdentity = emptyAxesIsIdentity
  }

  public var name: String { kind.rawValue }
}

extension Reduce {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = kind.allowsIntegers ? try inputs.number(0) : try inputs.float(0)
    let axes = try axes(inputs, rank: x.shape.rank)
    let kept = (0..<x.shape.rank).compactMap { axis in
      axes.contains(axis) ? (keepDimensions ? 1 : nil) : x.shape[axis]
    }
    return [ResultType(x.elementType, Shape(kept))]
  }

  /// Adds and multiplies in row-major order of the reduced elements.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    let axes = try axes(inputs.facts, rank: x.shape.rank)
    if axes.isEmpty, emptyAxesIsIdentity { return [x] }
    // The reduced axes last: each result is made from `length` neighbours.
    let order = (0..<x.shape.rank).filter { !axes.contains($0) } + axes.sorted()
    let length = axes.reduce(1) { $0 * x.shape[$1] }
    let strides = x.shape.strides
    let sorted = x.gathering(
      StridedLayout(
        shape: Shape(order.map { x.shape[$0] }), strides: order.map { strides[$0] }))
    switch sorted.storage {
    case .double(let elements):
      return [Tensor(runs(elements, length, type.shape, floatResult), shape: type.shape)]
    case .integer(let elements):
      let result = runs(elements, length, type.shape) { integerResult($0, type.elementType) }
      return [Tensor(result, shape: type.shape, elementType: type.elementType)]
    default:
      let result = runs(sorted.floats, length, type.shape, floatResult)
      return [Tensor(rounding: result, shape: type.shape, to: type.elementType)]
    }
  }

  private func axes(_ inputs: [OperandFact?], rank: Int) throws(OperatorError) -> [Int] {
    let axes = try inputs.optionalIntegers(1) ?? []
    if axes.isEmpty { return emptyAxesIsIdentity ? [] : Array(0..<rank) }
    return try checkedAxes(axes, rank: rank, input: 1)
  }

  private func runs<T>(
    _ elements: [T], _ length: Int, _ shape: Shape, _ body: (UnsafeBufferPointer<T>) -> T
  ) -> [T] {
    elements.withUnsafeBufferPointer { elements in
      (0..<shape.count).map {
        body(UnsafeBufferPointer(rebasing: elements[$0 * length..<($0 + 1) * length]))
      }
    }
  }

  private func floatResult<T: ElementaryFloat>(_ x: UnsafeBufferPointer<T>) -> T {
    switch kind {
    case .mean: sum(x) / T(x.count)
    case .sum: sum(x)
    case .product: x.reduce(1, *)
    case .maximum: x.reduce(-.infinity, propagatingMaximum)
    case .minimum: x.reduce(.infinity, propagatingMinimum)
    case .l1: sum(x) { $0.magnitude }
    case .l2: sum(x) { $0 * $0 }.squareRoot()
    case .sumSquare: sum(x) { $0 * $0 }
    case .logSum: T.logarithm(sum(x))
    case .logSumExp: logSumExp(x)
    }
  }

  /// Rounded once: sums of a million numbers would lose a thousandth of their value if each addition
  /// rounded.
  private func sum<T: ElementaryFloat>(
    _ x: UnsafeBufferPointer<T>, _ body: (T) -> T = { $0 }
  ) -> T {
    T(x.reduce(0.0) { $0 + Double(body($1)) })
  }

  /// The largest exponent is taken out first, so that nothing overflows.
  private func logSumExp<T: ElementaryFloat>(_ x: UnsafeBufferPointer<T>) -> T {
    let largest = x.reduce(-.infinity, propagatingMaximum)
    guard largest.isFinite else { return largest }
    return largest + T.logarithm(sum(x) { T.exponential($0 - largest) })
  }

  /// Wraps around; the mean truncates, and is 0 of nothing.
  private func integerResult(_ x: UnsafeBufferPointer<Int64>, _ type: ElementType) -> Int64 {
    let range = type.integerRange ?? 0...0
    let result: Int64 =
      switch kind {
      case .mean: x.isEmpty ? 0 : x.reduce(0, &+) / Int64(x.count)
      case .product: x.reduce(1, &*)
      case .maximum: x.reduce(range.lowerBound, max)
      case .minimum: x.reduce(range.upperBound, min)
      case .l1: x.reduce(0) { $0 &+ ($1 < 0 ? 0 &- $1 : $1) }
      case .sumSquare: x.reduce(0) { $0 &+ $1 &* $1 }
      default: x.reduce(0, &+)
      }
    return result.narrowed(to: type)
  }
}
