import BNNTensor

extension ArrayOperation {
  private var operandCount: Int {
    switch self {
    case .constant: 0
    case .elementwise(let function): function.operandCount
    case .pad(let mode, _, _): mode == .constant ? 2 : 1
    case .gather, .matrixProduct, .convolution, .transposedConvolution, .gatherElements, .gatherND:
      2
    case .scatterElements, .scatterND: 3
    case .cast, .slice, .expand, .argumentExtremum, .topK, .cumulativeSum, .maximumIndices,
      .resample:
      1
    }
  }

  /// The types of the results for operands whose extents are in range.
  ///
  /// - Parameter declared: the dimensions of the first result, which tell how much a slice takes
  ///   and what an operand is expanded to.
  func resultTypes(
    of operands: [PhysicalType], declared: [Dimension]
  ) throws(FormatError.Rule) -> [PhysicalType] {
    guard operands.count == operandCount else {
      throw .operandCount(expected: operandCount, found: operands.count)
    }
    guard let x = operands.first else { return [try constantType()] }
    let result = try resultType(x, operands, declared)
    guard case .topK = self else { return [result] }
    return [result, PhysicalType(.int64, result.dimensions)]
  }

  private func constantType() throws(FormatError.Rule) -> PhysicalType {
    guard case .constant(let tensor) = self, tensor.elementType.isArrayType else {
      throw .constantType
    }
    return PhysicalType(tensor.elementType, tensor.shape.dimensions.map { .fixed($0) })
  }

  private func resultType(
    _ x: PhysicalType, _ operands: [PhysicalType], _ declared: [Dimension]
  ) throws(FormatError.Rule) -> PhysicalType {
    switch self {
    case .constant: return try constantType()
    case .elementwise(let function): return try function.resultType(operands)
    case .cast(let type):
      try x.requireArray()
      guard type.isArrayType else { throw .unsupportedType(type) }
      return PhysicalType(type, x.dimensions)
    case .slice(let starts, let steps):
      return try x.sliced(starts: starts, steps: steps, declared: declared)
    case .pad(let mode, let begin, let end):
      if operands.count == 2 { try operands[1].requireElement(of: x.elementType) }
      return try x.padded(mode, begin: begin, end: end)
    case .gather(let axis): return try x.gathered(operands[1], axis: axis)
    case .expand:
      try x.requireArray()
      try x.checkExpands(to: declared)
      return PhysicalType(x.elementType, declared)
    case .matrixProduct: return try x.multiplied(by: operands[1])
    case .convolution(let geometry):
      return try geometry.result(of: x, weights: operands[1])
    case .transposedConvolution(let geometry, let outputPadding):
      return try geometry.transposedResult(
        of: x, weights: operands[1], outputPadding: outputPadding)
    case .argumentExtremum(_, let axis, let keepDimensions, _):
      try x.requireNumber()
      guard try x.fixedExtent(axis) > 0 else { throw .emptyAxis(axis) }
      return PhysicalType(
        .int64, x.dimensions(without: [axis], keepDimensions: keepDimensions))
    default: return try indexedType(x, operands)
    }
  }
}

extension ElementwiseFunction {
  fileprivate func resultType(_ operands: [PhysicalType]) throws(FormatError.Rule) -> PhysicalType {
    let (x, last) = (operands[0], operands[operands.count - 1])
    let result: ElementType
    switch self {
    case .arithmetic(let function):
      try x.requireNumber()
      // Integers have powers with real exponents.
      if function != .power || last.elementType != .float32 { try last.require(x.elementType) }
      result = x.elementType
    case .comparison(let function):
      try x.requireArray()
      if function != .equal { try x.requireNumber() }
      try last.require(x.elementType)
      result = .bool
    case .bitwise:
      guard x.elementType == .int32 || x.elementType == .int64 else {
        throw .unsupportedType(x.elementType)
      }
      try last.require(x.elementType)
      result = x.elementType
    case .logical:
      for operand in operands { try operand.require(.bool) }
      result = .bool
    case .select:
      try x.require(.bool)
      try last.requireArray()
      try operands[1].require(last.elementType)
      result = last.elementType
    }
    var dimensions = x.dimensions
    for operand in operands.dropFirst() {
      dimensions = try broadcast(dimensions, operand.dimensions)
    }
    return PhysicalType(result, dimensions)
  }
}

/// The dimensions that two operands have together.
private func broadcast(
  _ a: [Dimension], _ b: [Dimension]
) throws(FormatError.Rule) -> [Dimension] {
  let rank = max(a.count, b.count)
  var result = [Dimension](repeating: .fixed(1), count: rank)
  for axis in 0..<rank {
    let x = axis < rank - a.count ? Dimension.fixed(1) : a[axis - (rank - a.count)]
    let y = axis < rank - b.count ? Dimension.fixed(1) : b[axis - (rank - b.count)]
    guard x == y || x == .fixed(1) || y == .fixed(1) else {
      throw .broadcast(operand: b, result: a)
    }
    result[axis] = x == .fixed(1) ? y : x
  }
  return result
}

// MARK: Operands

extension PhysicalType {
  func requireArray() throws(FormatError.Rule) {
    guard elementType.isArrayType else { throw .unsupportedType(elementType) }
  }

  func requireNumber() throws(FormatError.Rule) {
    guard elementType.isArrayNumber else { throw .unsupportedType(elementType) }
  }

  fileprivate func requireElement(of type: ElementType) throws(FormatError.Rule) {
    try require(type)
    guard dimensions.allSatisfy({ $0 == .fixed(1) }) else {
      throw .broadcast(operand: dimensions, result: [])
    }
  }

  /// The extent of an axis that does not depend on the batch.
  func fixedExtent(_ axis: Int) throws(FormatError.Rule) -> Int {
    try checkAxis(axis)
    guard case .fixed(let extent) = dimensions[axis] else { throw .acrossBatch }
    return extent
  }

  func dimensions(without axes: [Int], keepDimensions: Bool) -> [Dimension] {
    dimensions.indices.compactMap { axis in
      axes.contains(axis) ? (keepDimensions ? .fixed(1) : nil) : dimensions[axis]
    }
  }

  fileprivate func sliced(
    starts: [Int], steps: [Int], declared: [Dimension]
  ) throws(FormatError.Rule) -> PhysicalType {
    let rank = dimensions.count
    guard starts.count == rank, steps.count == rank, declared.count == rank else {
      throw .operandRank(expected: starts.count, found: rank)
    }
    for axis in 0..<rank {
      if starts[axis] == 0, steps[axis] == 1, declared[axis] == dimensions[axis] { continue }
      let extent = try fixedExtent(axis)
      guard case .fixed(let count) = declared[axis], steps[axis] != 0,
        steps[axis].magnitude < FileLayout.maximumElements,
        (0...FileLayout.maximumElements).contains(starts[axis])
      else { throw .slice(axis) }
      let (distance, overflow) = steps[axis].multipliedReportingOverflow(by: max(count - 1, 0))
      guard !overflow, count == 0 || (0..<extent).contains(starts[axis]),
        count == 0 || (0..<extent).contains(starts[axis] + distance)
      else { throw .slice(axis) }
    }
    return PhysicalType(elementType, declared)
  }

  fileprivate func padded(
    _ mode: PadMode, begin: [Int], end: [Int]
  ) throws(FormatError.Rule) -> PhysicalType {
    try requireArray()
    guard begin.count == dimensions.count, end.count == dimensions.count else {
      throw .operandRank(expected: begin.count, found: dimensions.count)
    }
    var result = dimensions
    for axis in dimensions.indices where begin[axis] != 0 || end[axis] != 0 {
      let extent = try fixedExtent(axis)
      guard begin[axis].magnitude < FileLayout.maximumElements,
        end[axis].magnitude < FileLayout.maximumElements,
        mode.allows(begin: begin[axis], end: end[axis], extent: extent)
      else { throw .padding(axis) }
      result[axis] = .fixed(extent + begin[axis] + end[axis])
    }
    return PhysicalType(elementType, result)
  }

  fileprivate func gathered(
    _ indices: PhysicalType, axis: Int
  ) throws(FormatError.Rule) -> PhysicalType {
    guard indices.elementType == .int32 || indices.elementType == .int64 else {
      throw .operandType(expected: .int64, found: indices.elementType)
    }
    _ = try fixedExtent(axis)
    return PhysicalType(
      elementType, dimensions[..<axis] + indices.dimensions + dimensions[(axis + 1)...])
  }

  fileprivate func checkExpands(to result: [Dimension]) throws(FormatError.Rule) {
    guard dimensions.count <= result.count,
      zip(dimensions.reversed(), result.reversed()).allSatisfy({ $0 == $1 || $0 == .fixed(1) })
    else { throw .broadcast(operand: dimensions, result: result) }
  }

  fileprivate func multiplied(by b: PhysicalType) throws(FormatError.Rule) -> PhysicalType {
    try requireNumber()
    try b.require(elementType)
    for type in [self, b] where type.dimensions.count < 2 {
      throw .operandRank(expected: 2, found: type.dimensions.count)
    }
    let rank = b.dimensions.count
    let inner = try fixedExtent(dimensions.count - 1)
    let rows = try b.fixedExtent(rank - 2)
    guard inner == rows else { throw .channels(expected: inner, found: rows) }
    let outer = try broadcast(
      Array(dimensions.dropLast(2)), Array(b.dimensions.dropLast(2)))
    return PhysicalType(
      elementType, outer + [dimensions[dimensions.count - 2], b.dimensions[rank - 1]])
  }
}
