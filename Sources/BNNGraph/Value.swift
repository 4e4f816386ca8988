import BNNTensor

/// Names a value of a graph. Valid for the graph that made it.
public struct ValueID: Hashable, Sendable, Comparable {
  public let index: Int
  package init(index: Int) { self.index = index }
  public static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

/// Element type and extents of a value, as far as they are known before a run.
public struct ValueType: Hashable, Sendable {
  public var elementType: ElementType
  public var dimensions: [Dimension]

  public init(_ elementType: ElementType, _ dimensions: [Dimension]) {
    self.elementType = elementType
    self.dimensions = dimensions
  }
  public init(_ elementType: ElementType, _ shape: Shape) {
    self.init(elementType, shape.dimensions.map { .fixed($0) })
  }

  public var rank: Int { dimensions.count }

  /// The extents when none depends on the batch.
  public var fixedShape: Shape? {
    dimensions.contains { $0.isBatch } ? nil : dimensions.shape(batch: 1)
  }

  /// Extent of the channel axis (axis 1; the only axis of a vector), when it is fixed.
  public var channels: Int? {
    guard let dimension = rank >= 2 ? dimensions[1] : dimensions.first,
      case .fixed(let count) = dimension
    else { return nil }
    return count
  }
}

/// What flows between nodes: a graph input, a constant, or the output of one node.
public struct Value: Equatable, Sendable {
  public var name: String
  /// Given for graph inputs; found by ``Graph/inferTypes()`` for the rest.
  public var type: ValueType?
  /// The elements of a constant.
  public var constant: Tensor?

  public init(name: String, type: ValueType? = nil, constant: Tensor? = nil) {
    self.name = name
    self.type = type
    self.constant = constant
  }
}
