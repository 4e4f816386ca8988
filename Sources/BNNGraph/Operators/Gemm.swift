import BNNTensor

/// ONNX `Gemm`: alpha · A' · B' + beta · C. Inputs: A, B, optional C.
public struct Gemm: Operator, Hashable {
  public var alpha: Float
  public var beta: Float
  public var transposeA: Bool
  public var transposeB: Bool

  public init(alpha: Float = 1, beta: Float = 1, transposeA: Bool = false, transposeB: Bool = false)
  {
    self.alpha = alpha
    self.beta = beta
    self.transposeA = transposeA
    self.transposeB = transposeB
  }

  public var name: String { "Gemm" }
}

extension Gemm {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let a = try inputs.number(0)
    let b = try inputs.operand(1, of: a.elementType)
    for (index, operand) in [a, b].enumerated() where operand.shape.rank != 2 {
      throw .wrongRank(input: index, expected: "2", found: operand.shape)
    }
    let (rows, inner) = transposeA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let (other, columns) = transposeB ? (b.shape[1], b.shape[0]) : (b.shape[0], b.shape[1])
    guard inner == other else {
      throw .shapeMismatch(input: 1, expected: "\(inner) rows to multiply", found: b.shape)
    }
    let type = try ResultType(a.elementType, checking: [rows, columns])
    if inputs.optional(2) != nil {
      let c = try inputs.operand(2, of: a.elementType)
      guard type.shape.broadcast(with: c.shape) == type.shape else {
        throw .shapeMismatch(input: 2, expected: "broadcastable to \(type.shape)", found: c.shape)
      }
    }
    return [type]
  }

  /// alpha · (A · B) + beta · C, products by 1 left out. Integers wrap around.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (a, b) = (try inputs.required(0), try inputs.required(1))
    let c = inputs.optional(2)
    switch a.storage {
    case .double:
      return [Tensor(floatResult(a, b, c, type.shape, \.doubles), shape: type.shape)]
    case .integer:
      guard alpha == 1, beta == 1 || c == nil else {
        throw .unsupported("integers with alpha or beta other than 1")
      }
      return [integerResult(a, b, c, type)]
    default:
      let result = floatResult(a, b, c, type.shape, \.floats)
      return [Tensor(rounding: result, shape: type.shape, to: type.elementType)]
    }
  }

  private func floatResult<T: BinaryFloatingPoint>(
    _ a: Tensor, _ b: Tensor, _ c: Tensor?, _ shape: Shape, _ elements: (Tensor) -> [T]
  ) -> [T] {
    let (left, right) = matrices(elements(a), a.shape, elements(b), b.shape)
    let inner = transposeA ? a.shape[0] : a.shape[1]
    var result = matrixProduct(
      left[...], right[...], rows: shape[0], inner: inner, columns: shape[1])
    if alpha != 1 { result = result.map { T(alpha) * $0 } }
    guard let c, beta != 0 else { return result }
    let scaled = beta == 1 ? elements(c) : elements(c).map { T(beta) * $0 }
    return BroadcastPlan(shape, c.shape, result: shape).map(result, scaled) { $0 + $1 }
  }

  private func integerResult(
    _ a: Tensor, _ b: Tensor, _ c: Tensor?, _ type: ResultType
  ) -> Tensor {
    let (left, right) = matrices(a.integers, a.shape, b.integers, b.shape)
    let inner = transposeA ? a.shape[0] : a.shape[1]
    var result = integerProduct(
      left[...], right[...], rows: type.shape[0], inner: inner, columns: type.shape[1])
    if let c {
      result = BroadcastPlan(type.shape, c.shape, result: type.shape)
        .map(result, c.integers) { $0 &+ $1 }
    }
    return Tensor(
      result.map { $0.narrowed(to: type.elementType) }, shape: type.shape,
      elementType: type.elementType)
  }

  /// Both factors in row-major order, neither transposed.
  private func matrices<T>(_ a: [T], _ aShape: Shape, _ b: [T], _ bShape: Shape) -> ([T], [T]) {
    (
      transposeA ? transposed(a, rows: aShape[0], columns: aShape[1]) : a,
      transposeB ? transposed(b, rows: bShape[0], columns: bShape[1]) : b
    )
  }
}

/// The matrix product of integers, wrapping around.
func integerProduct(
  _ a: ArraySlice<Int64>, _ b: ArraySlice<Int64>, rows: Int, inner: Int, columns: Int
) -> [Int64] {
  var result = [Int64](repeating: 0, count: rows * columns)
  for row in 0..<rows {
    for index in 0..<inner {
      let factor = a[a.startIndex + row * inner + index]
      let start = b.startIndex + index * columns
      for column in 0..<columns { result[row * columns + column] &+= factor &* b[start + column] }
    }
  }
  return result
}
