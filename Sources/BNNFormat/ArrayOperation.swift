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
  /// The largest or smallest elements along an axis, best first, and their places as int64.
  case topK(axis: Int, count: Int, largest: Bool)
  /// Sums of all elements up to each along an axis: without its own if `exclusive`, from the end if
  /// `reverse`.
  case cumulativeSum(axis: Int, exclusive: Bool, reverse: Bool)
  /// Each index names a position along an axis of the first operand.
  case gatherElements(axis: Int)
  /// The last axis of the indices names places in the first operand, behind axes that both share.
  case gatherND(batchDimensions: Int)
  /// The first operand, with updates at positions along an axis: indices, updates.
  case scatterElements(axis: Int, ScatterReduction)
  /// The first operand, with updates at places: indices, updates.
  case scatterND(ScatterReduction)
  /// Where in x [N, C, spatial…] the largest element of each window is, as int64.
  case maximumIndices(WindowGeometry, ceiling: Bool, columnMajor: Bool)
  /// Weighted sums of elements along axes, one after the other; nil leaves an axis as it is.
  case resample([ResampleTable?], outside: Float)
}

/// What each position of a resampled axis is made of.
public struct ResampleTable: Hashable, Sendable {
  /// The number of taps of each position, or one number for all. Without taps, a position lies
  /// outside.
  public var counts: [Int32]
  /// Position and weight of all taps in order.
  public var indices: [Int32]
  public var weights: [Float]

  public init(counts: [Int32], indices: [Int32], weights: [Float]) {
    self.counts = counts
    self.indices = indices
    self.weights = weights
  }
}

/// A function that is applied element by element.
public enum ElementwiseFunction: Hashable, Sendable, CaseIterable {
  case arithmetic(BinaryFunction)
  case comparison(ComparisonFunction)
  case logical(LogicalFunction)
  case bitwise(BitwiseFunction)
  /// Of a bool and two others: the first of them where it is true, else the second.
  case select

  public static var allCases: [ElementwiseFunction] {
    BinaryFunction.allCases.map { .arithmetic($0) }
      + ComparisonFunction.allCases.map { .comparison($0) }
      + LogicalFunction.allCases.map { .logical($0) }
      + BitwiseFunction.allCases.map { .bitwise($0) } + [.select]
  }

  public var operandCount: Int {
    switch self {
    case .arithmetic, .comparison: 2
    case .logical(let function): function == .not ? 1 : 2
    case .bitwise(let function): function == .not ? 1 : 2
    case .select: 3
    }
  }

  /// The name of the function.
  public var name: String {
    switch self {
    case .arithmetic(let function): "\(function)"
    case .comparison(let function): "\(function)"
    case .logical(let function): "\(function)"
    case .bitwise(let function):
      function.rawValue.prefix(1).lowercased() + function.rawValue.dropFirst()
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
