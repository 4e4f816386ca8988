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
}
