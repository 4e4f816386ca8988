import BNNTensor

extension ConvolutionGeometry {
  /// The fixed extents after the first, of both operands.
  private func extents(
    of x: PhysicalType, weights: PhysicalType
  ) throws(FormatError.Rule) -> (x: [Int], weights: [Int]) {
    try x.require(.float32)
    try weights.require(.float32)
    try window.check()
    let rank = window.spatialRank + 2
    guard window.spatialRank <= 3, x.dimensions.count == rank else {
      throw .operandRank(expected: rank, found: x.dimensions.count)
    }
    guard weights.dimensions.count == rank else {
      throw .operandRank(expected: rank, found: weights.dimensions.count)
    }
    var lists: [[Int]] = [[], []]
    for axis in 1..<rank { lists[0].append(try x.fixedExtent(axis)) }
    for axis in 0..<rank { lists[1].append(try weights.fixedExtent(axis)) }
    guard Array(lists[1].dropFirst(2)) == window.kernel, padding == .zero else {
      throw .weightsShape(Shape(lists[1]))
    }
    return (lists[0], lists[1])
  }

  func result(
    of x: PhysicalType, weights: PhysicalType
  ) throws(FormatError.Rule) -> PhysicalType {
    let (own, kernel) = try extents(of: x, weights: weights)
    guard groups >= 1, kernel[0] % groups == 0 else {
      throw .groups(groups, outputs: kernel[0])
    }
    let (channels, overflow) = groups.multipliedReportingOverflow(by: kernel[1])
    guard !overflow, own[0] == channels else {
      throw .channels(expected: overflow ? .max : channels, found: own[0])
    }
    guard let output = window.outputExtents(of: Array(own.dropFirst())) else { throw .window }
    return PhysicalType(.float32, [x.dimensions[0], .fixed(kernel[0])] + output.map { .fixed($0) })
  }

  func transposedResult(
    of x: PhysicalType, weights: PhysicalType, outputPadding: [Int]
  ) throws(FormatError.Rule) -> PhysicalType {
    let (own, kernel) = try extents(of: x, weights: weights)
    guard groups >= 1, own[0] % groups == 0 else { throw .groups(groups, outputs: own[0]) }
    guard kernel[0] == own[0] else { throw .channels(expected: own[0], found: kernel[0]) }
    let (channels, overflow) = groups.multipliedReportingOverflow(by: kernel[1])
    guard !overflow, channels <= FileLayout.maximumElements else { throw .valueTooLarge }
    guard let output = window.transposedExtents(of: Array(own.dropFirst()), outputPadding) else {
      throw .window
    }
    return PhysicalType(.float32, [x.dimensions[0], .fixed(channels)] + output.map { .fixed($0) })
  }
}

extension WindowGeometry {
  /// (x − 1) · stride + span + output padding − pads; nil where that is not positive. Numbers are
  /// in the range that ``check()`` demands.
  fileprivate func transposedExtents(of input: [Int], _ outputPadding: [Int]) -> [Int]? {
    guard outputPadding.count == spatialRank,
      outputPadding.allSatisfy({ (0..<1 << 20).contains($0) })
    else { return nil }
    var extents: [Int] = []
    for axis in 0..<spatialRank {
      guard input[axis] > 0, input[axis] <= FileLayout.maximumElements else { return nil }
      let extent =
        (input[axis] - 1) * strides[axis] + span(axis) + outputPadding[axis] - padsBegin[axis]
        - padsEnd[axis]
      guard extent > 0 else { return nil }
      extents.append(extent)
    }
    return extents
  }
}
