import BNNTensor

/// ONNX `MaxPool`, `AveragePool`. Input x [N, C, spatial…]. Global pools are imported with
/// `isGlobal`.
public struct Pool: Operator, Hashable {
  public var kind: Kind
  /// Ignored by a global pool.
  public var window: WindowGeometry
  /// ONNX `ceil_mode`.
  public var ceiling: Bool
  /// The window is the whole input.
  public var isGlobal: Bool

  public enum Kind: Hashable, Sendable {
    case maximum
    /// Padding counts in the divisor where `countPadding`.
    case average(countPadding: Bool)
  }

  public init(kind: Kind, window: WindowGeometry, ceiling: Bool = false, isGlobal: Bool = false) {
    self.kind = kind
    self.window = window
    self.ceiling = ceiling
    self.isGlobal = isGlobal
  }

  public var name: String {
    switch kind {
    case .maximum: isGlobal ? "GlobalMaxPool" : "MaxPool"
    case .average: isGlobal ? "GlobalAveragePool" : "AveragePool"
    }
  }
}

extension Pool {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x: OperandFact =
      switch kind {
      case .maximum: try inputs.number(0)
      case .average: try inputs.float(0)
      }
    let window = try window(for: x.shape)
    let extents = try window.checkedOutput(of: x.shape, ceiling: ceiling && !isGlobal)
    try window.checkPool(of: x.shape)
    return [try ResultType(x.elementType, checking: x.shape.dimensions[..<2] + extents)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    let walk = WindowWalk(
      try window(for: x.shape), input: Array(x.shape.dimensions[2...]),
      output: Array(type.shape.dimensions[2...]))
    switch x.storage {
    case .double(let elements):
      return [Tensor(floatResult(elements, walk), shape: type.shape)]
    case .integer(let elements) where x.elementType == .uint64:
      let result = walk.pool(elements) { taps, _ in
        taps.map { UInt64(bitPattern: elements[$0]) }.max().map { Int64(bitPattern: $0) } ?? 0
      }
      return [Tensor(result, shape: type.shape, elementType: type.elementType)]
    case .integer(let elements):
      let lowest = type.elementType.integerRange?.lowerBound ?? 0
      let result = walk.pool(elements) { taps, _ in
        taps.reduce(lowest) { max($0, elements[$1]) }
      }
      return [Tensor(result, shape: type.shape, elementType: type.elementType)]
    default:
      let result = floatResult(x.floats, walk)
      return [Tensor(rounding: result, shape: type.shape, to: type.elementType)]
    }
  }

  /// The maximum does not see NaN beside numbers; of nothing it is −∞. The average adds in
  /// row-major order and divides once.
  func floatResult<T: BinaryFloatingPoint>(_ x: [T], _ walk: WindowWalk) -> [T] {
    switch kind {
    case .maximum:
      return walk.pool(x) { taps, _ in
        var result = taps.isEmpty ? -T.infinity : x[taps[0]]
        for tap in taps where x[tap] > result || result.isNaN { result = x[tap] }
        return result
      }
    case .average(let countPadding):
      return walk.pool(x) { taps, paddedCount in
        var sum: T = 0
        for tap in taps { sum += x[tap] }
        return sum / T(countPadding ? paddedCount : taps.count)
      }
    }
  }

  func window(for shape: Shape) throws(OperatorError) -> WindowGeometry {
    guard isGlobal else { return window }
    guard shape.rank >= 2 else {
      throw .wrongRank(input: 0, expected: "at least 2", found: shape)
    }
    return WindowGeometry(kernel: Array(shape.dimensions[2...]))
  }
}

extension WindowGeometry {
  /// A pool's input has elements, and its padding is smaller than its window, so that no window is
  /// all padding at the edge.
  func checkPool(of shape: Shape) throws(OperatorError) {
    guard !shape.dimensions.dropFirst(2).contains(0) else {
      throw .shapeMismatch(input: 0, expected: "elements to pool", found: shape)
    }
    for axis in 0..<spatialRank where max(padsBegin[axis], padsEnd[axis]) >= span(axis) {
      throw .invalidAttribute(
        name: "pads", value: "\(padsBegin), \(padsEnd)", expected: "less than the window \(kernel)")
    }
  }
}

extension WindowWalk {
  /// Makes every output from the indices of its window's taps in the input, in row-major order,
  /// and the number of taps that padding adds to.
  func pool<T>(_ x: [T], _ body: (_ taps: [Int], _ paddedCount: Int) -> T) -> [T] {
    windows(count: x.count, body)
  }

  /// The same for results of another type, of an input of `count` elements.
  func windows<T>(count: Int, _ body: (_ taps: [Int], _ paddedCount: Int) -> T) -> [T] {
    let axes = (0..<3).map { axis in
      (0..<output[axis]).map { position in
        (
          taps: positions(axis: axis, output: position),
          padded: paddedTaps(axis: axis, output: position)
        )
      }
    }
    let planes = inputCount == 0 ? 0 : count / inputCount
    var result: [T] = []
    result.reserveCapacity(planes * outputCount)
    var taps: [Int] = []
    for plane in 0..<planes {
      for z in axes[0] {
        for y in axes[1] {
          for x in axes[2] {
            taps.removeAll(keepingCapacity: true)
            for slice in z.taps {
              for row in y.taps {
                let start = ((plane * input[0] + slice) * input[1] + row) * input[2]
                for column in x.taps { taps.append(start + column) }
              }
            }
            result.append(body(taps, z.padded * y.padded * x.padded))
          }
        }
      }
    }
    return result
  }
}
