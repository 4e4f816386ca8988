/// One dimension of a value whose first dimension may be a batch of any size.
///
/// A model with a dynamic batch of N has dimensions that are fixed and dimensions that are a
/// multiple of N (a reshape may merge the batch with others).
public enum Dimension: Hashable, Sendable {
  case fixed(Int)
  /// This many times the batch size.
  case batch(Int)

  /// The extent for a batch of `size`.
  public func extent(batch size: Int) -> Int {
    switch self {
    case .fixed(let extent): extent
    case .batch(let multiple): multiple * size
    }
  }

  public var isBatch: Bool { if case .batch = self { true } else { false } }
}

extension Dimension: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fixed(let extent): "\(extent)"
    case .batch(1): "N"
    case .batch(let multiple): "\(multiple)N"
    }
  }
}

extension Sequence<Dimension> {
  /// The shape for a batch of `size`.
  public func shape(batch size: Int) -> Shape { Shape(map { $0.extent(batch: size) }) }
}
