import BNNTensor

/// ONNX `Range`: start, limit, delta.
public struct NumberRange: Operator, Hashable {
  public init() {}

  public var name: String { "Range" }
}

extension NumberRange {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let start = try inputs.number(0)
    for index in 0...2 {
      let operand = try inputs.operand(index, of: start.elementType)
      guard operand.shape.checkedCount == 1 else {
        throw .shapeMismatch(input: index, expected: "one element", found: operand.shape)
      }
      guard operand.value != nil else { throw .shapeDependsOnData(input: index) }
    }
    let numbers = inputs.prefix(3).map { $0?.value?.doubles[0] ?? 0 }
    let count = ((numbers[1] - numbers[0]) / numbers[2]).rounded(.up)
    guard numbers[2] != 0, !count.isNaN else {
      throw .invalidValue(input: 2, expected: "a step other than 0", found: "\(numbers[2])")
    }
    return [
      try ResultType(start.elementType, checking: [Int(Int64(saturating: max(0, count)))])
    ]
  }

  /// start + index · delta
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (start, delta) = (try inputs.required(0), try inputs.required(2))
    let indices = 0..<type.shape.count
    switch start.storage {
    case .double(let elements):
      let step = delta.doubles[0]
      return [Tensor(indices.map { elements[0] + Double($0) * step }, shape: type.shape)]
    case .integer(let elements):
      let step = delta.integers[0]
      let result = indices.map { elements[0] &+ Int64($0) &* step }
      return [
        Tensor(
          result.map { $0.narrowed(to: type.elementType) }, shape: type.shape,
          elementType: type.elementType)
      ]
    default:
      let (first, step) = (start.floats[0], delta.floats[0])
      let result = indices.map { first + (Float($0) * step).rounded(to: type.elementType) }
      return [Tensor(rounding: result, shape: type.shape, to: type.elementType)]
    }
  }
}
