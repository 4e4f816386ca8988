import BNNTensor

/// An operand list: one entry per input, nil where an optional input is left out.
protocol Operand {
  var elementType: ElementType { get }
  var shape: Shape { get }
}

extension OperandFact: Operand {}
extension Tensor: Operand {}

extension Array {
  /// The operand at an index; throws when it is left out.
  func required<Wrapped>(_ index: Int) throws(OperatorError) -> Wrapped
  where Element == Wrapped?, Wrapped: Operand {
    guard let operand = optional(index) else { throw .missingInput(index: index) }
    return operand
  }

  func optional<Wrapped>(_ index: Int) -> Wrapped? where Element == Wrapped?, Wrapped: Operand {
    index < count ? self[index] : nil
  }

  /// An operand of a float type.
  func float<Wrapped>(_ index: Int) throws(OperatorError) -> Wrapped
  where Element == Wrapped?, Wrapped: Operand {
    let operand = try required(index)
    guard operand.elementType.isFloatingPoint else {
      throw .wrongElementType(input: index, found: operand.elementType)
    }
    return operand
  }

  /// An operand of floats or integers.
  func number<Wrapped>(_ index: Int) throws(OperatorError) -> Wrapped
  where Element == Wrapped?, Wrapped: Operand {
    let operand = try required(index)
    guard operand.elementType.isFloatingPoint || operand.elementType.isInteger else {
      throw .wrongElementType(input: index, found: operand.elementType)
    }
    return operand
  }

  /// An operand of a given type.
  func operand<Wrapped>(
    _ index: Int, of type: ElementType
  ) throws(OperatorError) -> Wrapped where Element == Wrapped?, Wrapped: Operand {
    let operand = try required(index)
    guard operand.elementType == type else {
      throw .wrongElementType(input: index, found: operand.elementType)
    }
    return operand
  }
}

extension [OperandFact?] {
  /// The known elements of a list of integers: axes, extents, indices.
  func integers(_ index: Int) throws(OperatorError) -> [Int] {
    let operand = try required(index)
    guard operand.elementType.isInteger else {
      throw .wrongElementType(input: index, found: operand.elementType)
    }
    guard operand.shape.rank <= 1 else {
      throw .wrongRank(input: index, expected: "a list", found: operand.shape)
    }
    guard let value = operand.value else { throw .shapeDependsOnData(input: index) }
    return value.integers.map { Int($0) }
  }

  /// The known elements of a list of floats: scales.
  func floats(_ index: Int) throws(OperatorError) -> [Float] {
    let operand = try float(index)
    guard operand.shape.rank <= 1 else {
      throw .wrongRank(input: index, expected: "a list", found: operand.shape)
    }
    guard let value = operand.value else { throw .shapeDependsOnData(input: index) }
    return value.floats
  }

  /// As `integers`, or nil when the operand is left out.
  func optionalIntegers(_ index: Int) throws(OperatorError) -> [Int]? {
    optional(index) == nil ? nil : try integers(index)
  }
}

extension [Tensor?] {
  /// What type inference may know: everything.
  var facts: [OperandFact?] { map { $0.map { OperandFact($0) } } }
}

extension ResultType {
  /// Results larger than this are refused.
  public static let elementLimit = 1 << 31

  /// A result of a size that can be made.
  init(_ elementType: ElementType, checking dimensions: [Int]) throws(OperatorError) {
    let shape = Shape(dimensions)
    guard let count = shape.checkedCount, count <= ResultType.elementLimit else {
      throw .tooLarge(shape)
    }
    self.init(elementType, shape)
  }
}

/// The axis that an index names, which may count from the end.
func checkedAxis(
  _ axis: Int, rank: Int, attribute: String = "axis"
) throws(OperatorError) -> Int {
  guard axis >= -rank, axis < rank else {
    throw .invalidAttribute(
      name: attribute, value: "\(axis)", expected: "an axis of \(rank) dimensions")
  }
  return axis < 0 ? axis + rank : axis
}

/// The axes that an operand lists, each once.
func checkedAxes(_ axes: [Int], rank: Int, input: Int) throws(OperatorError) -> [Int] {
  var result: [Int] = []
  for axis in axes {
    let normal = axis < 0 ? axis &+ rank : axis
    guard normal >= 0, normal < rank, !result.contains(normal) else {
      throw .invalidValue(
        input: input, expected: "different axes of \(rank) dimensions", found: "\(axes)")
    }
    result.append(normal)
  }
  return result
}

/// The shape of two operands together.
func broadcastShape(
  _ a: Shape, _ b: Shape, input: Int = 1
) throws(OperatorError) -> [Int] {
  guard let shape = a.broadcast(with: b) else {
    throw .shapeMismatch(input: input, expected: "broadcastable with \(a)", found: b)
  }
  return shape.dimensions
}

/// How the channels lie in a shape: axis 1, or the only axis of a vector.
struct ChannelLayout {
  let outer: Int
  let channels: Int
  let inner: Int

  init(_ shape: Shape) {
    let axis = min(1, shape.rank - 1)
    outer = shape.dimensions.prefix(max(axis, 0)).reduce(1, *)
    channels = axis < 0 ? 1 : shape[axis]
    inner = shape.dimensions.dropFirst(axis + 1).reduce(1, *)
  }

  /// Calls `body` with each channel and its row-major range of elements.
  func forEachRun(_ body: (_ channel: Int, _ elements: Range<Int>) -> Void) {
    var start = 0
    for _ in 0..<outer {
      for channel in 0..<channels {
        body(channel, start..<start + inner)
        start += inner
      }
    }
  }

  /// Whether a list of parameters has an entry per channel, or one for all.
  func fits(_ count: Int) -> Bool { count == 1 || count == channels }
}
