import BNNTensor

/// ONNX `ArgMax`, `ArgMin`.
public struct ArgumentExtremum: Operator, Hashable {
  public var isMaximum: Bool
  public var axis: Int
  public var keepDimensions: Bool
  /// ONNX `select_last_index`.
  public var selectsLast: Bool

  public init(
    isMaximum: Bool, axis: Int = 0, keepDimensions: Bool = true, selectsLast: Bool = false
  ) {
    self.isMaximum = isMaximum
    self.axis = axis
    self.keepDimensions = keepDimensions
    self.selectsLast = selectsLast
  }

  public var name: String { isMaximum ? "ArgMax" : "ArgMin" }
}

extension ArgumentExtremum {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.number(0)
    let axis = try checkedAxis(axis, rank: x.shape.rank)
    guard x.shape[axis] > 0 else {
      throw .shapeMismatch(input: 0, expected: "elements along axis \(axis)", found: x.shape)
    }
    var extents = x.shape.dimensions
    if keepDimensions { extents[axis] = 1 } else { extents.remove(at: axis) }
    return [ResultType(.int64, Shape(extents))]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    let axis = try checkedAxis(axis, rank: x.shape.rank)
    let runs = AxisRuns(x.shape, axis: axis)
    let result =
      switch x.storage {
      case .double(let elements): positions(elements, runs)
      case .integer(let elements) where x.elementType == .uint64:
        positions(elements.map { UInt64(bitPattern: $0) }, runs)
      case .integer(let elements): positions(elements, runs)
      default: positions(x.floats, runs)
      }
    return [Tensor(result, shape: type.shape)]
  }

  private func positions<T: Comparable>(_ x: [T], _ runs: AxisRuns) -> [Int64] {
    runs.starts.map { start in
      var best = 0
      for position in 1..<max(runs.length, 1) {
        let candidate = x[start + position * runs.stride]
        let current = x[start + best * runs.stride]
        let isBetter = isMaximum ? candidate > current : candidate < current
        if isBetter || (selectsLast && candidate == current) { best = position }
      }
      return Int64(best)
    }
  }
}

/// The lines of a tensor along an axis, in row-major order of what is left.
struct AxisRuns {
  let length: Int
  let stride: Int
  let starts: [Int]

  init(_ shape: Shape, axis: Int) {
    let inner = shape.dimensions.dropFirst(axis + 1).reduce(1, *)
    let length = shape[axis]
    let outer = shape.dimensions.prefix(axis).reduce(1, *)
    self.length = length
    stride = inner
    starts = (0..<outer).flatMap { row in (0..<inner).map { row * length * inner + $0 } }
  }
}
