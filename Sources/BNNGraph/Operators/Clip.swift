import BNNTensor

/// ONNX `Clip`. Inputs: x, optional scalar minimum, optional scalar maximum (attributes of old
/// opsets are imported as constants).
public struct Clip: Operator, Hashable {
  public init() {}

  public var name: String { "Clip" }
}

extension Clip {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.number(0)
    for index in 1...2 where inputs.optional(index) != nil {
      let limit = try inputs.operand(index, of: x.elementType)
      guard limit.shape.checkedCount == 1 else {
        throw .shapeMismatch(input: index, expected: "one element", found: limit.shape)
      }
    }
    return [ResultType(x.elementType, x.shape)]
  }

  /// min(max(x, minimum), maximum); NaN stays NaN. A limit that is left out is the type's largest
  /// finite number, so that even then an infinity becomes finite.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let x = try inputs.required(0)
    let (minimum, maximum) = (inputs.optional(1), inputs.optional(2))
    switch x.storage {
    case .double(let elements):
      let largest = Double.greatestFiniteMagnitude
      let result = clamp(
        elements, minimum?.doubles[0] ?? -largest, maximum?.doubles[0] ?? largest)
      return [Tensor(result, shape: x.shape)]
    case .integer(let elements) where x.elementType == .uint64:
      let unsigned = elements.map { UInt64(bitPattern: $0) }
      let lower = UInt64(bitPattern: minimum?.integers[0] ?? 0)
      let upper = UInt64(bitPattern: maximum?.integers[0] ?? -1)
      let result = unsigned.map { Int64(bitPattern: min(max($0, lower), upper)) }
      return [Tensor(result, shape: x.shape, elementType: x.elementType)]
    case .integer(let elements):
      let (lower, upper) = (minimum?.integers[0] ?? .min, maximum?.integers[0] ?? .max)
      let result = elements.map { min(max($0, lower), upper) }
      return [Tensor(result, shape: x.shape, elementType: x.elementType)]
    default:
      let largest = Clip.largest(of: x.elementType)
      let result = clamp(
        x.floats, minimum?.floats[0] ?? -largest, maximum?.floats[0] ?? largest)
      return [Tensor(result, shape: x.shape, elementType: x.elementType)]
    }
  }

  private func clamp<T: FloatingPoint>(_ elements: [T], _ lower: T, _ upper: T) -> [T] {
    elements.map { propagatingMinimum(propagatingMaximum($0, lower), upper) }
  }

  private static func largest(of type: ElementType) -> Float {
    switch type {
    case .float16: 65504
    case .bfloat16: 0x1.fep127
    default: .greatestFiniteMagnitude
    }
  }
}
