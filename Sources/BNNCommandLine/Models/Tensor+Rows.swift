import BNNKit

extension Tensor {
  /// The part of a tensor between two positions of its first axis. Not for packed signs.
  func rows(_ range: Swift.Range<Int>) -> Tensor {
    var dimensions = shape.dimensions
    dimensions[0] = range.count
    let size = dimensions.dropFirst().reduce(1, *)
    let elements = range.lowerBound * size..<range.upperBound * size
    let shape = Shape(dimensions)
    switch storage {
    case .float(let all):
      return Tensor(Array(all[elements]), shape: shape, elementType: elementType)
    case .double(let all): return Tensor(Array(all[elements]), shape: shape)
    case .integer(let all):
      return Tensor(Array(all[elements]), shape: shape, elementType: elementType)
    case .bool(let all): return Tensor(Array(all[elements]), shape: shape)
    case .sign: return Tensor(floats, shape: self.shape).rows(range)
    }
  }

  /// Tensors of one type joined along the first axis; nil when their other extents differ.
  static func joiningRows(_ parts: [Tensor]) -> Tensor? {
    guard let first = parts.first, first.shape.rank > 0 else { return nil }
    let tail = first.shape.dimensions.dropFirst()
    guard
      parts.allSatisfy({
        $0.elementType == first.elementType && $0.shape.rank > 0
          && $0.shape.dimensions.dropFirst() == tail
      })
    else { return nil }
    let shape = Shape([parts.reduce(0) { $0 + $1.shape[0] }] + tail)
    switch first.storage {
    case .float:
      return Tensor(parts.flatMap(\.floats), shape: shape, elementType: first.elementType)
    case .sign: return Tensor(parts.flatMap(\.floats), shape: shape)
    case .double: return Tensor(parts.flatMap(\.doubles), shape: shape)
    case .integer:
      return Tensor(parts.flatMap(\.integers), shape: shape, elementType: first.elementType)
    case .bool: return Tensor(parts.flatMap(\.bools), shape: shape)
    }
  }

  /// The same numbers as another type, or nil when one of them would change its meaning: integers
  /// out of range, fractions as integers, anything but ±1 as signs.
  func converted(to type: ElementType) -> Tensor? {
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
