import BNNTensor

/// A window that moves over a plane, with the spatial dimensions lifted to three.
struct WindowWalk {
  let input: [Int]
  let output: [Int]
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  let padsBegin: [Int]
  let padsEnd: [Int]

  /// The most spatial dimensions that are evaluated.
  static let rankLimit = 3

  /// The extents must be those that the checked geometry has.
  init(_ window: WindowGeometry, input: [Int], output: [Int]) {
    func lift(_ list: [Int], _ neutral: Int) -> [Int] {
      [Int](repeating: neutral, count: WindowWalk.rankLimit - list.count) + list
    }
    self.input = lift(input, 1)
    self.output = lift(output, 1)
    kernel = lift(window.kernel, 1)
    strides = lift(window.strides, 1)
    dilations = lift(window.dilations, 1)
    padsBegin = lift(window.padsBegin, 0)
    padsEnd = lift(window.padsEnd, 0)
  }

  var inputCount: Int { input.reduce(1, *) }
  var outputCount: Int { output.reduce(1, *) }
  var tapCount: Int { kernel.reduce(1, *) }

  /// The output positions along an axis whose window has this tap inside the input.
  func outputs(axis: Int, tap: Int) -> Range<Int> {
    let shift = tap * dilations[axis] - padsBegin[axis]
    let stride = strides[axis]
    let first = shift >= 0 ? 0 : (stride - 1 - shift) / stride
    let last = input[axis] - 1 - shift
    let end = last < 0 ? 0 : min(output[axis], last / stride + 1)
    return first < end ? first..<end : 0..<0
  }

  /// The taps of an output position's window along an axis that lie in the input, as positions.
  func positions(axis: Int, output: Int) -> [Int] {
    let start = output * strides[axis] - padsBegin[axis]
    return (0..<kernel[axis]).map { start + $0 * dilations[axis] }
      .filter { $0 >= 0 && $0 < input[axis] }
  }

  /// How many taps of an output position's window lie in the input or its padding. With rounding
  /// up, the last window may reach beyond both.
  func paddedTaps(axis: Int, output: Int) -> Int {
    let start = output * strides[axis] - padsBegin[axis]
    return (0..<kernel[axis]).count {
      start + $0 * dilations[axis] < input[axis] + padsEnd[axis]
    }
  }
}

extension WindowGeometry {
  /// The output's extents of a checked window.
  func checkedOutput(
    of shape: Shape, ceiling: Bool = false
  ) throws(OperatorError) -> [Int] {
    guard shape.rank == spatialRank + 2 else {
      throw .wrongRank(input: 0, expected: "\(spatialRank + 2)", found: shape)
    }
    try checkLists()
    let input = Array(shape.dimensions[2...])
    guard let output = outputExtents(of: input, ceiling: ceiling) else {
      throw .shapeMismatch(
        input: 0, expected: "at least a window of \(kernel) with dilations \(dilations)",
        found: shape)
    }
    return output
  }

  /// Checks that there is one number in range per spatial dimension everywhere.
  func checkLists() throws(OperatorError) {
    guard spatialRank <= WindowWalk.rankLimit else {
      throw .unsupported("\(spatialRank) spatial dimensions")
    }
    let limit = 1 << 20
    for (name, list, range) in [
      ("kernel_shape", kernel, 1...limit), ("strides", strides, 1...limit),
      ("dilations", dilations, 1...limit), ("pads", padsBegin, 0...limit),
      ("pads", padsEnd, 0...limit),
    ] {
      guard list.count == spatialRank, list.allSatisfy({ range.contains($0) }) else {
        throw .invalidAttribute(
          name: name, value: "\(list)",
          expected: "\(spatialRank) numbers from \(range.lowerBound) to \(limit)")
      }
    }
  }
}
