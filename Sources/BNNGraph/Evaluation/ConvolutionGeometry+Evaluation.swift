import BNNTensor

extension ConvolutionGeometry {
  /// The shape of the result; throws when the operands do not fit.
  func resultShape(
    x: Shape, weights: OperandFact, weightsInput: Int = 1
  ) throws(OperatorError) -> [Int] {
    let extents = try window.checkedOutput(of: x)
    let own = weights.shape
    guard own.rank == window.spatialRank + 2, own.checkedCount != nil else {
      throw .wrongRank(input: weightsInput, expected: "\(window.spatialRank + 2)", found: own)
    }
    let outputs = own[0]
    guard groups >= 1, x[1] % groups == 0, outputs % groups == 0 else {
      throw .invalidAttribute(
        name: "group", value: "\(groups)", expected: "a divisor of \(x[1]) and \(outputs)")
    }
    let channels = x[1] / groups
    let expected =
      weights.elementType == .sign
      ? [outputs] + window.kernel + [channels] : [outputs, channels] + window.kernel
    guard own.dimensions == expected else {
      throw .shapeMismatch(input: weightsInput, expected: "\(Shape(expected))", found: own)
    }
    return [x[0], outputs] + extents
  }

  /// The convolution of operands that fit. Bits as weights count as ±1.
  func convolve<T: BinaryFloatingPoint>(
    _ x: [T], shape: Shape, weights: Tensor, elements: (Tensor) -> [T]
  ) throws(OperatorError) -> [T] {
    let (input, inputShape) = padding == .zero ? (x, shape) : padded(x, shape)
    var geometry = self
    if padding != .zero {
      geometry.window.padsBegin = window.kernel.map { _ in 0 }
      geometry.window.padsEnd = window.kernel.map { _ in 0 }
    }
    let result = try geometry.resultShape(x: inputShape, weights: OperandFact(weights))
    let ordered = elements(weights.elementType == .sign ? channelsFirst(weights) : weights)
    if window.spatialRank == 0, groups == 1 {
      let columns = transposed(ordered, rows: result[1], columns: shape[1])
      return matrixProduct(
        input[...], columns[...], rows: shape[0], inner: shape[1], columns: result[1])
    }
    let loops = ConvolutionLoops(
      batch: shape[0], groups: groups, groupInputs: shape[1] / groups,
      groupOutputs: result[1] / groups,
      walk: WindowWalk(
        geometry.window, input: Array(inputShape.dimensions[2...]), output: Array(result[2...])))
    return loops.run(input, ordered)
  }

  /// Bits [O, kernel…, C] in the order [O, C, kernel…] of real weights, as float32.
  private func channelsFirst(_ weights: Tensor) -> Tensor {
    let rank = weights.shape.rank
    let order = [0, rank - 1] + Array(1..<rank - 1)
    let strides = weights.shape.strides
    let layout = StridedLayout(
      shape: Shape(order.map { weights.shape[$0] }), strides: order.map { strides[$0] })
    return Tensor(weights.floats, shape: weights.shape).gathering(layout)
  }

  /// The input with the padding's ±1 around it.
  private func padded<T: BinaryFloatingPoint>(_ x: [T], _ shape: Shape) -> ([T], Shape) {
    var larger = shape
    for axis in 0..<window.spatialRank {
      larger.dimensions[axis + 2] += window.padsBegin[axis] + window.padsEnd[axis]
    }
    var result = [T](repeating: T(padding.rawValue), count: larger.count)
    let strides = larger.strides
    var inner = StridedLayout(shape: shape, strides: strides)
    for axis in 0..<window.spatialRank {
      inner.offset += window.padsBegin[axis] * strides[axis + 2]
    }
    for (element, target) in zip(x, inner.indices) { result[target] = element }
    return (result, larger)
  }
}

/// Adds one number per channel to a result [N, C, …].
func addBias<T: BinaryFloatingPoint>(_ bias: [T], to elements: inout [T], shape: Shape) {
  ChannelLayout(shape).forEachRun { channel, run in
    for index in run { elements[index] += bias[channel] }
  }
}
