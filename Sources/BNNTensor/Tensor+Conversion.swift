extension Tensor {
  /// The same numbers as another type, or nil when one of them would change its meaning: integers
  /// out of range, fractions as integers, anything but ±1 as signs.
  package func converted(to type: ElementType) -> Tensor? {
    if elementType == type { return self }
    switch type {
    case .float32: return Tensor(floats, shape: shape)
    case .float64: return Tensor(doubles, shape: shape)
    case .sign:
      let values = floats
      guard values.allSatisfy({ $0 == 1 || $0 == -1 }) else { return nil }
      return Tensor(PackedTensor(shape: shape) { values[$0] > 0 })
    default:
      guard let range = type.integerRange, elementType.isInteger || elementType == .bool else {
        return nil
      }
      guard integers.allSatisfy(range.contains) else { return nil }
      return Tensor(integers, shape: shape, elementType: type)
    }
  }
}
