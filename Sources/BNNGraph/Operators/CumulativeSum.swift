import BNNTensor

/// ONNX `CumSum`. Inputs: x, axis (one integer).
public struct CumulativeSum: Operator, Hashable {
  /// The sum at a position is that of the positions before it only.
  public var exclusive: Bool
  /// Sums run from the end.
  public var reverse: Bool

  public init(exclusive: Bool = false, reverse: Bool = false) {
    self.exclusive = exclusive
    self.reverse = reverse
  }

  public var name: String { "CumSum" }
}

extension CumulativeSum {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.number(0)
    _ = try axis(inputs, rank: x.shape.rank)
    return [ResultType(x.elementType, x.shape)]
  }

  /// Each partial sum is rounded to the type; integers wrap around.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    let runs = AxisRuns(x.shape, axis: try axis(inputs.facts, rank: x.shape.rank))
    switch x.storage {
    case .double(let elements):
      return [Tensor(sums(elements, runs) { $0 + $1 }, shape: x.shape)]
    case .integer(let elements):
      let result = sums(elements, runs) { ($0 &+ $1).narrowed(to: type.elementType) }
      return [Tensor(result, shape: x.shape, elementType: type.elementType)]
    default:
      let result = sums(x.floats, runs) { ($0 + $1).rounded(to: type.elementType) }
      return [Tensor(result, shape: x.shape, elementType: type.elementType)]
    }
  }

  private func axis(_ inputs: [OperandFact?], rank: Int) throws(OperatorError) -> Int {
    let axes = try checkedAxes(inputs.integers(1), rank: rank, input: 1)
    guard axes.count == 1 else {
      throw .invalidValue(input: 1, expected: "one axis", found: "\(axes)")
    }
    return axes[0]
  }

  private func sums<T: Numeric>(_ x: [T], _ runs: AxisRuns, _ add: (T, T) -> T) -> [T] {
    var result = x
    for start in runs.starts {
      var sum: T = 0
      for position in 0..<runs.length {
        let index = start + (reverse ? runs.length - 1 - position : position) * runs.stride
        let next = add(sum, x[index])
        result[index] = exclusive ? sum : next
        sum = next
      }
    }
    return result
  }
}
