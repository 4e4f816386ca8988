import BNNTensor

/// The second output of ONNX `MaxPool`: for each window of x, the int64 position of its maximum in
/// all of x, as if x had no padding. Of equal elements the first.
public struct MaximumIndices: Operator, Hashable {
  public var window: WindowGeometry
  /// ONNX `ceil_mode`.
  public var ceiling: Bool
  /// Positions count along the last but one dimension first (ONNX `storage_order` 1).
  public var columnMajor: Bool

  public init(window: WindowGeometry, ceiling: Bool = false, columnMajor: Bool = false) {
    self.window = window
    self.ceiling = ceiling
    self.columnMajor = columnMajor
  }

  public var name: String { "MaxPoolIndices" }
}

extension MaximumIndices {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.number(0)
    let extents = try window.checkedOutput(of: x.shape, ceiling: ceiling)
    try window.checkPool(of: x.shape)
    return [try ResultType(.int64, checking: x.shape.dimensions[..<2] + extents)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    let walk = WindowWalk(
      window, input: Array(x.shape.dimensions[2...]), output: Array(type.shape.dimensions[2...]))
    let positions =
      switch x.storage {
      case .double(let elements): positions(elements, walk)
      case .integer(let elements) where x.elementType == .uint64:
        positions(elements.map { UInt64(bitPattern: $0) }, walk)
      case .integer(let elements): positions(elements, walk)
      default: positions(x.floats, walk)
      }
    let result = columnMajor ? positions.map { transposed($0, walk) } : positions
    return [Tensor(result.map { Int64($0) }, shape: type.shape)]
  }

  private func positions<T: Comparable>(_ x: [T], _ walk: WindowWalk) -> [Int] {
    walk.windows(count: x.count) { taps, _ in
      var best = taps.first ?? 0
      for tap in taps where x[tap] > x[best] { best = tap }
      return best
    }
  }

  /// The number of an element when the last two dimensions of its plane change places.
  private func transposed(_ index: Int, _ walk: WindowWalk) -> Int {
    let (rows, columns) = (walk.input[1], walk.input[2])
    let plane = index / (rows * columns)
    let (row, column) = (index / columns % rows, index % columns)
    return (plane * columns + column) * rows + row
  }
}
