import BNNTensor

/// ONNX `MatMul`: NumPy's matrix product with broadcasting.
public struct MatMul: Operator, Hashable {
  public init() {}

  public var name: String { "MatMul" }
}

extension MatMul {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let a = try inputs.number(0)
    let b = try inputs.operand(1, of: a.elementType)
    let layout = try MatMulLayout(a.shape, b.shape)
    return [try ResultType(a.elementType, checking: layout.resultShape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (a, b) = (try inputs.required(0), try inputs.required(1))
    let layout = try MatMulLayout(a.shape, b.shape)
    switch a.storage {
    case .double(let elements):
      return [Tensor(layout.run(elements, b.doubles, matrixProduct), shape: type.shape)]
    case .integer(let elements):
      let result = layout.run(elements, b.integers, integerProduct)
        .map { $0.narrowed(to: type.elementType) }
      return [Tensor(result, shape: type.shape, elementType: type.elementType)]
    default:
      let result = layout.run(a.floats, b.floats, matrixProduct)
      return [Tensor(rounding: result, shape: type.shape, to: type.elementType)]
    }
  }
}

/// Which matrices of two stacks are multiplied. A vector is a row on the left and a column on the
/// right, and leaves no dimension in the result.
private struct MatMulLayout {
  let resultShape: [Int]
  private let rows: Int
  private let inner: Int
  private let columns: Int
  /// For every matrix of the result, the number of the matrix in each stack.
  private let aStack: StridedLayout
  private let bStack: StridedLayout

  init(_ a: Shape, _ b: Shape) throws(OperatorError) {
    guard a.rank >= 1 else { throw .wrongRank(input: 0, expected: "at least 1", found: a) }
    guard b.rank >= 1 else { throw .wrongRank(input: 1, expected: "at least 1", found: b) }
    let left = a.rank == 1 ? [1] + a.dimensions : a.dimensions
    let right = b.rank == 1 ? b.dimensions + [1] : b.dimensions
    inner = left[left.count - 1]
    guard right[right.count - 2] == inner else {
      throw .shapeMismatch(input: 1, expected: "\(inner) rows to multiply", found: b)
    }
    (rows, columns) = (left[left.count - 2], right[right.count - 1])
    let (aOuter, bOuter) = (Shape(Array(left.dropLast(2))), Shape(Array(right.dropLast(2))))
    let outer = try broadcastShape(aOuter, bOuter)
    aStack = StridedLayout(broadcasting: aOuter, to: Shape(outer))
    bStack = StridedLayout(broadcasting: bOuter, to: Shape(outer))
    resultShape = outer + (a.rank == 1 ? [] : [rows]) + (b.rank == 1 ? [] : [columns])
  }

  func run<T>(
    _ a: [T], _ b: [T], _ product: (ArraySlice<T>, ArraySlice<T>, Int, Int, Int) -> [T]
  ) -> [T] {
    var result: [T] = []
    result.reserveCapacity(Shape(resultShape).count)
    for (left, right) in zip(aStack.indices, bStack.indices) {
      let (aStart, bStart) = (left * rows * inner, right * inner * columns)
      result += product(
        a[aStart..<aStart + rows * inner], b[bStart..<bStart + inner * columns], rows, inner,
        columns)
    }
    return result
  }
}
