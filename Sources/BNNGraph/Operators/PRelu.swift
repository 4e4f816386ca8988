import BNNTensor

/// ONNX `PRelu`: x, slope (broadcast to x).
public struct PRelu: Operator, Hashable {
  public init() {}

  public var name: String { "PRelu" }
}

extension PRelu {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.number(0)
    let slope = try inputs.operand(1, of: x.elementType)
    guard x.shape.broadcast(with: slope.shape) == x.shape else {
      throw .shapeMismatch(input: 1, expected: "broadcastable to \(x.shape)", found: slope.shape)
    }
    return [ResultType(x.elementType, x.shape)]
  }

  /// x < 0 ? slope · x : x
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let (x, slope) = (try inputs.required(0), try inputs.required(1))
    let plan = BroadcastPlan(x.shape, slope.shape, result: x.shape)
    switch x.storage {
    case .double(let elements):
      let result = plan.map(elements, slope.doubles) { $0 < 0 ? $1 * $0 : $0 }
      return [Tensor(result, shape: x.shape)]
    case .integer(let elements):
      // uint64 keeps large numbers as negative bit patterns.
      let isUnsigned = x.elementType == .uint64
      let result = plan.map(elements, slope.integers) {
        ($0 < 0 && !isUnsigned ? $1 &* $0 : $0).narrowed(to: x.elementType)
      }
      return [Tensor(result, shape: x.shape, elementType: x.elementType)]
    default:
      let result = plan.map(x.floats, slope.floats) { $0 < 0 ? $1 * $0 : $0 }
      return [Tensor(rounding: result, shape: x.shape, to: x.elementType)]
    }
  }
}
