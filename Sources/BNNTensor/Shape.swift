/// The extents of a tensor, outermost dimension first. Rank 0 is a scalar.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral {
  public var dimensions: [Int]

  public init(_ dimensions: [Int]) { self.dimensions = dimensions }
  public init(arrayLiteral elements: Int...) { dimensions = elements }

  public var rank: Int { dimensions.count }
  public subscript(axis: Int) -> Int { dimensions[axis] }

  /// The number of elements. The shape must be one whose ``checkedCount`` is not nil.
  public var count: Int { dimensions.reduce(1, *) }

  /// The number of elements, or nil when a dimension is negative or the product overflows.
  public var checkedCount: Int? {
    var product = 1
    for dimension in dimensions {
      guard dimension >= 0 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
      guard !overflow else { return nil }
      product = next
    }
    return product
  }

  /// Row-major strides in elements.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * dimensions[axis + 1]
    }
    return strides
  }

  /// The shape that two operands have together under NumPy's and ONNX's broadcasting rule, or nil.
  public func broadcast(with other: Shape) -> Shape? {
    let rank = max(self.rank, other.rank)
    var result = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
      let a = axis - (rank - self.rank) < 0 ? 1 : self[axis - (rank - self.rank)]
      let b = axis - (rank - other.rank) < 0 ? 1 : other[axis - (rank - other.rank)]
      guard a == b || a == 1 || b == 1 else { return nil }
      result[axis] = a == 1 ? b : a
    }
    return Shape(result)
  }
}

extension Shape: CustomStringConvertible {
  public var description: String {
    "[" + dimensions.map(String.init).joined(separator: ",") + "]"
  }
}
