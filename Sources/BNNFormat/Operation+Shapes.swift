import BNNTensor

/// Element type and extents of a value.
package struct PhysicalType: Hashable, Sendable {
  package var elementType: ElementType
  package var dimensions: [Dimension]

  package init(_ elementType: ElementType, _ dimensions: [Dimension]) {
    self.elementType = elementType
    self.dimensions = dimensions
  }
}

extension ModelValue {
  package var type: PhysicalType { PhysicalType(elementType, dimensions) }
}

extension Operation {
  /// The epilogue of an operation that has one.
  package var epilogue: Epilogue? {
    switch self {
    case .binaryConvolution(_, _, let epilogue), .convolution(_, _, let epilogue),
      .quantizedConvolution(_, _, _, let epilogue), .pool(_, _, _, let epilogue),
      .pointwise(let epilogue):
      epilogue
    case .binaryPool, .concatenate, .reshape, .transpose, .softmax, .reduce, .unpack, .signProduct,
      .array:
      nil
    }
  }

  /// The types of the results for operands whose extents are in range.
  ///
  /// - Parameters:
  ///   - operands: the operation's own inputs, then the epilogue's operands.
  ///   - declared: the dimensions of the first result, which a reshape takes as they are.
  package func resultTypes(
    of operands: [PhysicalType], declared: [Dimension]
  ) throws(FormatError.Rule) -> [PhysicalType] {
    if case .array(let operation) = self {
      return try operation.resultTypes(of: operands, declared: declared)
    }
    guard let first = operands.first else { throw .operandCount(expected: 1, found: 0) }
    let core = try coreResult(operands, first: first, declared: declared)
    guard let epilogue else { return [core] }
    let integerAccumulator = if case .binaryConvolution = self { true } else { false }
    try epilogue.check(
      result: core.dimensions, operands: operands.dropFirst(),
      integerAccumulator: integerAccumulator)
    return epilogue.outputTypes.map { PhysicalType($0, core.dimensions) }
  }

  private func coreResult(
    _ operands: [PhysicalType], first: PhysicalType, declared: [Dimension]
  ) throws(FormatError.Rule) -> PhysicalType {
    switch self {
    case .concatenate(let axis): return try concatenated(operands, axis: axis)
    case .signProduct: return try productOfSigns(operands)
    default: break
    }
    if epilogue == nil, operands.count != 1 {
      throw .operandCount(expected: 1, found: operands.count)
    }
    switch self {
    case .binaryConvolution(let geometry, let weights, _):
      try first.require(.sign)
      return try geometry.result(of: first, weights: weights.shape)
    case .convolution(let geometry, let weights, _):
      try first.require(.float32)
      guard geometry.padding == .zero else { throw .paddingOfReals }
      try weights.check()
      return try geometry.result(of: first, weights: weights.shape)
    case .quantizedConvolution(let geometry, let weights, let input, _):
      try first.require(.float32)
      guard geometry.padding == .zero else { throw .paddingOfReals }
      try weights.check(input)
      return try geometry.result(of: first, weights: weights.shape)
    case .pool(_, let window, let ceiling, _):
      try first.require(.float32)
      return try window.pooled(first, ceiling: ceiling)
    case .binaryPool(let window, let ceiling, let inverted):
      try first.require(.sign)
      let result = try window.pooled(first, ceiling: ceiling)
      try checkParameters(inverted.count, channels: result.lastExtent())
      return result
    case .pointwise:
      try first.require(.float32)
      return first
    case .concatenate, .signProduct, .reshape, .array:
      guard first.elementCount == PhysicalType(.float32, declared).elementCount else {
        throw .elementCount
      }
      return PhysicalType(first.elementType, declared)
    case .transpose(let permutation):
      return try first.transposed(permutation)
    case .softmax(let axis, _):
      try first.require(.float32)
      try first.checkAxis(axis)
      guard !first.dimensions[axis].isBatch else { throw .acrossBatch }
      return first
    case .reduce(let function, let axes, let keepDimensions):
      if function.allowsIntegers { try first.requireNumber() } else { try first.require(.float32) }
      return try first.reduced(axes, keepDimensions: keepDimensions)
    case .unpack:
      try first.require(.sign)
      return PhysicalType(.float32, first.dimensions)
    }
  }
}

/// A list of parameters has one entry for all channels or one for each.
func checkParameters(_ count: Int, channels: Int) throws(FormatError.Rule) {
  guard count == 1 || count == channels else {
    throw .parameterCount(channels: channels, found: count)
  }
}

// MARK: Values

extension PhysicalType {
  /// The number of elements per batch entry, and whether there is a batch; extents are in range.
  fileprivate var elementCount: PhysicalCount {
    var count = PhysicalCount(multiple: 1, isBatch: false)
    for dimension in dimensions {
      let (product, overflow) = count.multiple.multipliedReportingOverflow(
        by: dimension.extent(batch: 1))
      count.multiple = overflow ? .max : product
      count.isBatch = count.isBatch || dimension.isBatch
    }
    return count
  }

  func require(_ expected: ElementType) throws(FormatError.Rule) {
    guard elementType == expected else {
      throw .operandType(expected: expected, found: elementType)
    }
  }

  func checkAxis(_ axis: Int) throws(FormatError.Rule) {
    guard dimensions.indices.contains(axis) else { throw .axis(axis) }
  }

  /// The extent of the last axis: the channels.
  fileprivate func lastExtent() throws(FormatError.Rule) -> Int {
    guard let last = dimensions.last else { throw .operandRank(expected: 1, found: 0) }
    guard case .fixed(let extent) = last else { throw .dynamicExtent }
    return extent
  }

  /// The spatial extents of [N, spatial…, C].
  fileprivate func spatialExtents(rank: Int) throws(FormatError.Rule) -> [Int] {
    guard dimensions.count == rank + 2 else {
      throw .operandRank(expected: rank + 2, found: dimensions.count)
    }
    var extents: [Int] = []
    for dimension in dimensions[1..<(rank + 1)] {
      guard case .fixed(let extent) = dimension else { throw .dynamicExtent }
      extents.append(extent)
    }
    return extents
  }

  fileprivate func transposed(_ permutation: [Int]) throws(FormatError.Rule) -> PhysicalType {
    guard permutation.sorted() == Array(dimensions.indices) else {
      throw .permutation(permutation)
    }
    let result = permutation.map { dimensions[$0] }
    guard !result.dropFirst().contains(where: \.isBatch) else { throw .permutation(permutation) }
    return PhysicalType(elementType, result)
  }

  fileprivate func reduced(
    _ axes: [Int], keepDimensions: Bool
  ) throws(FormatError.Rule) -> PhysicalType {
    for axis in axes {
      try checkAxis(axis)
      guard !dimensions[axis].isBatch else { throw .acrossBatch }
    }
    guard zip(axes, axes.dropFirst()).allSatisfy({ $0 < $1 }) else { throw .axisOrder }
    return PhysicalType(
      elementType, self.dimensions(without: axes, keepDimensions: keepDimensions))
  }
}

/// A number of elements that may be a multiple of the batch size.
private struct PhysicalCount: Hashable {
  var multiple: Int
  var isBatch: Bool
}

private func concatenated(
  _ operands: [PhysicalType], axis: Int
) throws(FormatError.Rule) -> PhysicalType {
  var result = operands[0]
  try result.checkAxis(axis)
  for operand in operands.dropFirst() {
    guard operand.elementType == result.elementType,
      operand.dimensions.count == result.dimensions.count
    else { throw .concatenation }
    for index in result.dimensions.indices where index != axis {
      guard operand.dimensions[index] == result.dimensions[index] else { throw .concatenation }
    }
    switch (result.dimensions[axis], operand.dimensions[axis]) {
    case (.fixed(let a), .fixed(let b)): result.dimensions[axis] = .fixed(a + b)
    case (.batch, _), (_, .batch): throw .acrossBatch
    }
  }
  return result
}

private func productOfSigns(_ operands: [PhysicalType]) throws(FormatError.Rule) -> PhysicalType {
  guard operands.count == 2 else { throw .operandCount(expected: 2, found: operands.count) }
  for operand in operands { try operand.require(.sign) }
  guard operands[0] == operands[1] else { throw .operandDimensions }
  return operands[0]
}

// MARK: Windows

extension WindowGeometry {
  /// Whether all numbers are in the range that extents are computed in.
  func check() throws(FormatError.Rule) {
    let lists = [kernel, strides, dilations, padsBegin, padsEnd]
    guard lists.allSatisfy({ $0.count == spatialRank }),
      (kernel + strides + dilations).allSatisfy({ (1..<1 << 20).contains($0) }),
      (padsBegin + padsEnd).allSatisfy({ (0..<1 << 20).contains($0) })
    else { throw .window }
  }

  fileprivate func result(
    of input: PhysicalType, channels: Int, ceiling: Bool
  ) throws(FormatError.Rule) -> PhysicalType {
    try check()
    let extents = try input.spatialExtents(rank: spatialRank)
    guard let output = outputExtents(of: extents, ceiling: ceiling) else { throw .window }
    return PhysicalType(
      .float32, [input.dimensions[0]] + output.map { .fixed($0) } + [.fixed(channels)])
  }

  fileprivate func pooled(
    _ input: PhysicalType, ceiling: Bool
  ) throws(FormatError.Rule) -> PhysicalType {
    var result = try result(of: input, channels: input.lastExtent(), ceiling: ceiling)
    for axis in 0..<spatialRank {
      guard max(padsBegin[axis], padsEnd[axis]) < span(axis) else { throw .poolPadding }
    }
    result.elementType = input.elementType
    return result
  }
}

extension ConvolutionGeometry {
  /// The accumulator's type, counted as float32.
  fileprivate func result(
    of input: PhysicalType, weights: Shape
  ) throws(FormatError.Rule) -> PhysicalType {
    guard weights.rank == window.spatialRank + 2,
      Array(weights.dimensions[1..<(weights.rank - 1)]) == window.kernel,
      let outputs = weights.dimensions.first, let groupChannels = weights.dimensions.last,
      outputs >= 1, groupChannels >= 1, let count = weights.checkedCount
    else { throw .weightsShape(weights) }
    guard groups >= 1, outputs % groups == 0 else { throw .groups(groups, outputs: outputs) }
    let (channels, overflow) = groups.multipliedReportingOverflow(by: groupChannels)
    let found = try input.lastExtent()
    guard !overflow, found == channels else {
      throw .channels(expected: overflow ? .max : channels, found: found)
    }
    guard count / outputs <= FileLayout.maximumProducts else {
      throw .tooManyProducts(count / outputs)
    }
    return try window.result(of: input, channels: outputs, ceiling: false)
  }
}

extension Weights {
  fileprivate func check() throws(FormatError.Rule) {
    guard case .float32(let elements, let shape) = self else { return }
    guard let count = shape.checkedCount, count == elements.count else {
      throw .weightsCount(expected: shape.checkedCount ?? .max, found: elements.count)
    }
  }
}
