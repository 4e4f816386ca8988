import BNNTensor

/// What a layer computes on whole arrays, in the source's own order of axes: operations that know
/// neither channels nor bits. Operands are values, constants among them.
public enum ArrayOperation: Hashable, Sendable {
  /// No operands: the tensor itself.
  case constant(Tensor)
  /// A function of the elements of one to three operands, broadcast together.
  case elementwise(ElementwiseFunction)
  /// The elements as another type.
  case cast(ElementType)
  /// Along each axis, every `steps`-th position from `starts` on; as many as the result has.
  case slice(starts: [Int], steps: [Int])
  /// Elements around the first operand. For a constant, it is the second operand's one element.
  case pad(PadMode, begin: [Int], end: [Int])
  /// Positions along an axis of the first operand, listed by the second.
  case gather(axis: Int)
  /// The operand broadcast to the result's dimensions.
  case expand
  /// Products of the matrices in the last two axes of two operands.
  case matrixProduct
  /// x [N, C, spatial…] with weights [O, C / groups, kernel…].
  case convolution(ConvolutionGeometry)
  /// x [N, C, spatial…] with weights [C, O / groups, kernel…].
  case transposedConvolution(ConvolutionGeometry, outputPadding: [Int])
  /// Where the largest or smallest element along an axis is, as int64.
  case argumentExtremum(isMaximum: Bool, axis: Int, keepDimensions: Bool, selectsLast: Bool)
}

/// A function that is applied element by element.
public enum ElementwiseFunction: Hashable, Sendable, CaseIterable {
  case arithmetic(BinaryFunction)
  case comparison(ComparisonFunction)
  case logical(LogicalFunction)
  /// Of a bool and two others: the first of them where it is true, else the second.
  case select

  public static var allCases: [ElementwiseFunction] {
    BinaryFunction.allCases.map { .arithmetic($0) }
      + ComparisonFunction.allCases.map { .comparison($0) }
      + LogicalFunction.allCases.map { .logical($0) } + [.select]
  }

  public var operandCount: Int {
    switch self {
    case .arithmetic, .comparison: 2
    case .logical(let function): function == .not ? 1 : 2
    case .select: 3
    }
  }

  /// The name of the function.
  public var name: String {
    switch self {
    case .arithmetic(let function): "\(function)"
    case .comparison(let function): "\(function)"
    case .logical(let function): "\(function)"
    case .select: "select"
    }
  }
}

extension ElementType {
  /// The types of array operations.
  package static let arrayTypes: [ElementType] = [.float32, .int32, .int64, .bool]

  package var isArrayType: Bool { ElementType.arrayTypes.contains(self) }
  package var isArrayNumber: Bool { isArrayType && self != .bool }
}
