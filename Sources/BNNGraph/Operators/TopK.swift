import BNNTensor

/// ONNX `TopK`: the k largest or smallest elements along an axis and their int64 positions, best
/// first; of equal elements the first. NaN counts as larger than every number. Inputs: x, k.
public struct TopK: Operator, Hashable {
  public var axis: Int
  public var largest: Bool

  public init(axis: Int = -1, largest: Bool = true) {
    self.axis = axis
    self.largest = largest
  }

  public var name: String { "TopK" }
}

extension TopK {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.number(0)
    let axis = try checkedAxis(axis, rank: x.shape.rank)
    let counts = try inputs.integers(1)
    guard counts.count == 1, counts[0] >= 0, counts[0] <= x.shape[axis] else {
      throw .invalidValue(
        input: 1, expected: "a count up to \(x.shape[axis])", found: "\(counts)")
    }
    var shape = x.shape
    shape.dimensions[axis] = counts[0]
    return [ResultType(x.elementType, shape), ResultType(.int64, shape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let shape = try inferTypes(inputs.facts)[0].shape
    let x = try inputs.required(0)
    let axis = try checkedAxis(axis, rank: x.shape.rank)
    let runs = AxisRuns(x.shape, axis: axis)
    let ranked =
      switch x.storage {
      case .double(let elements): ranked(elements, runs, isNaN: \.isNaN)
      case .integer(let elements) where x.elementType == .uint64:
        ranked(elements.map { UInt64(bitPattern: $0) }, runs) { _ in false }
      case .integer(let elements): ranked(elements, runs) { _ in false }
      default: ranked(x.floats, runs, isNaN: \.isNaN)
      }
    let results = AxisRuns(shape, axis: axis)
    var sources = [Int](repeating: 0, count: shape.count)
    var positions = [Int64](repeating: 0, count: shape.count)
    for (line, order) in ranked.enumerated() {
      for (rank, position) in order.prefix(results.length).enumerated() {
        let target = results.starts[line] + rank * results.stride
        sources[target] = runs.starts[line] + position * runs.stride
        positions[target] = Int64(position)
      }
    }
    return [x.gathering(sources, shape: shape), Tensor(positions, shape: shape)]
  }

  /// The positions of every line, best first.
  private func ranked<T: Comparable>(
    _ x: [T], _ runs: AxisRuns, isNaN: (T) -> Bool
  ) -> [[Int]] {
    func isLess(_ a: T, _ b: T) -> Bool { isNaN(b) ? !isNaN(a) : a < b }
    return runs.starts.map { start in
      (0..<runs.length).sorted { a, b in
        let (x, y) = (x[start + a * runs.stride], x[start + b * runs.stride])
        if largest ? isLess(y, x) : isLess(x, y) { return true }
        return (largest ? isLess(x, y) : isLess(y, x)) ? false : a < b
      }
    }
  }
}
