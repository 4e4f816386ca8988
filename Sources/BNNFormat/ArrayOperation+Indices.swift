import BNNTensor

/// The types of operations that pick, order or weigh elements.
extension ArrayOperation {
  func indexedType(
    _ x: PhysicalType, _ operands: [PhysicalType]
  ) throws(FormatError.Rule) -> PhysicalType {
    switch self {
    case .topK(let axis, let count, _):
      try x.requireNumber()
      guard count >= 0, count <= (try x.fixedExtent(axis)) else { throw .pickedCount(count) }
      var result = x
      result.dimensions[axis] = .fixed(count)
      return result
    case .cumulativeSum(let axis, _, _):
      try x.requireNumber()
      _ = try x.fixedExtent(axis)
      return x
    case .gatherElements(let axis):
      try x.requireArray()
      try x.checkElements(operands[1], axis: axis)
      return PhysicalType(x.elementType, operands[1].dimensions)
    case .gatherND(let batchDimensions):
      try x.requireArray()
      return try x.gathered(operands[1], batchDimensions: batchDimensions)
    case .scatterElements(let axis, let reduction):
      try x.requireScattered(reduction)
      try x.checkElements(operands[1], axis: axis)
      try operands[2].requireUpdates(x.elementType, operands[1].dimensions)
      return x
    case .scatterND(let reduction):
      try x.requireScattered(reduction)
      let depth = try x.depth(of: operands[1], from: 0)
      // The updates of one entry must not reach the others.
      guard depth == 0 || !operands[1].dimensions.contains(where: \.isBatch) else {
        throw .acrossBatch
      }
      try operands[2].requireUpdates(
        x.elementType, operands[1].dimensions.dropLast() + x.dimensions.dropFirst(depth))
      return x
    case .maximumIndices(let window, let ceiling, _):
      try x.requireNumber()
      return try window.maximumIndices(of: x, ceiling: ceiling)
    case .resample(let tables, _):
      try x.requireArray()
      return try x.resampled(tables)
    default: throw .unsupportedType(x.elementType)
    }
  }
}

extension PhysicalType {
  fileprivate func requireScattered(_ reduction: ScatterReduction) throws(FormatError.Rule) {
    if reduction == .none { try requireArray() } else { try requireNumber() }
  }

  private func requireIndices() throws(FormatError.Rule) {
    guard elementType == .int32 || elementType == .int64 else {
      throw .operandType(expected: .int64, found: elementType)
    }
  }

  fileprivate func requireUpdates(
    _ type: ElementType, _ expected: [Dimension]
  ) throws(FormatError.Rule) {
    try require(type)
    guard dimensions == expected else { throw .indexDimensions(dimensions) }
  }

  /// One index per element of a smaller array of the same rank.
  fileprivate func checkElements(
    _ indices: PhysicalType, axis: Int
  ) throws(FormatError.Rule) {
    try indices.requireIndices()
    _ = try fixedExtent(axis)
    guard indices.dimensions.count == dimensions.count else {
      throw .indexDimensions(indices.dimensions)
    }
    for (at, (own, other)) in zip(dimensions, indices.dimensions).enumerated() {
      switch (own, other) {
      case (.fixed(let a), .fixed(let b)) where at == axis || b <= a: break
      case (.batch, .batch) where own == other: break
      default: throw .indexDimensions(indices.dimensions)
      }
    }
  }

  /// How many axes from `first` on the last axis of the indices names.
  fileprivate func depth(
    of indices: PhysicalType, from first: Int
  ) throws(FormatError.Rule) -> Int {
    try indices.requireIndices()
    guard case .fixed(let depth)? = indices.dimensions.last, first <= dimensions.count,
      depth <= dimensions.count - first
    else { throw .indexDimensions(indices.dimensions) }
    for axis in first..<(first + depth) { _ = try fixedExtent(axis) }
    return depth
  }

  fileprivate func gathered(
    _ indices: PhysicalType, batchDimensions: Int
  ) throws(FormatError.Rule) -> PhysicalType {
    guard batchDimensions >= 0, batchDimensions < max(1, indices.dimensions.count),
      batchDimensions <= dimensions.count,
      dimensions.prefix(batchDimensions) == indices.dimensions.prefix(batchDimensions)
    else { throw .indexDimensions(indices.dimensions) }
    let depth = try depth(of: indices, from: batchDimensions)
    return PhysicalType(
      elementType,
      indices.dimensions.dropLast() + dimensions.dropFirst(batchDimensions + depth))
  }

  fileprivate func resampled(_ tables: [ResampleTable?]) throws(FormatError.Rule) -> PhysicalType {
    guard tables.count == dimensions.count else {
      throw .operandRank(expected: tables.count, found: dimensions.count)
    }
    var result = self
    for case (let axis, let table?) in tables.enumerated() {
      let extent = try fixedExtent(axis)
      guard let count = table.checkedCount(extent: extent, sums: elementType == .float32) else {
        throw .resampleTable(axis: axis)
      }
      result.dimensions[axis] = .fixed(count)
    }
    return result
  }
}

extension ResampleTable {
  /// The number of positions; nil where the lists do not agree, name elements that do not exist,
  /// or would add what cannot be added.
  fileprivate func checkedCount(extent: Int, sums: Bool) -> Int? {
    guard counts.allSatisfy({ $0 >= 0 }), indices.allSatisfy({ $0 >= 0 && $0 < extent }),
      indices.count == weights.count, !counts.isEmpty, !indices.isEmpty,
      sums || (counts.allSatisfy { $0 <= 1 } && weights.allSatisfy { $0 == 1 })
    else { return nil }
    if counts.count == 1 {
      guard counts[0] > 0, indices.count % Int(counts[0]) == 0 else { return nil }
      return indices.count / Int(counts[0])
    }
    return counts.reduce(0) { $0 + Int($1) } == indices.count ? counts.count : nil
  }
}

extension WindowGeometry {
  fileprivate func maximumIndices(
    of x: PhysicalType, ceiling: Bool
  ) throws(FormatError.Rule) -> PhysicalType {
    try check()
    guard (1...3).contains(spatialRank), x.dimensions.count == spatialRank + 2 else {
      throw .operandRank(expected: spatialRank + 2, found: x.dimensions.count)
    }
    // Positions count through the whole batch.
    var extents: [Int] = []
    for axis in x.dimensions.indices { extents.append(try x.fixedExtent(axis)) }
    for axis in 0..<spatialRank {
      guard extents[axis + 2] > 0 else { throw .emptyAxis(axis + 2) }
      guard max(padsBegin[axis], padsEnd[axis]) < span(axis) else { throw .poolPadding }
    }
    guard let output = outputExtents(of: Array(extents[2...]), ceiling: ceiling) else {
      throw .window
    }
    return PhysicalType(.int64, x.dimensions[..<2] + output.map { .fixed($0) })
  }
}
