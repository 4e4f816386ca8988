import BNNTensor

/// ONNX `ConvTranspose`. Inputs: x, weights [C, O / groups, kernel…], optional bias.
public struct TransposedConvolution: Operator, Hashable {
  public var geometry: ConvolutionGeometry
  public var outputPadding: [Int]

  public init(geometry: ConvolutionGeometry, outputPadding: [Int]) {
    self.geometry = geometry
    self.outputPadding = outputPadding
  }

  public var name: String { "ConvTranspose" }
}

extension TransposedConvolution {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.float(0)
    let weights = try inputs.operand(1, of: x.elementType)
    let rank = geometry.window.spatialRank + 2
    for (index, operand) in [x, weights].enumerated() where operand.shape.rank != rank {
      throw .wrongRank(input: index, expected: "\(rank)", found: operand.shape)
    }
    let groups = geometry.groups
    guard groups >= 1, x.shape[1] % groups == 0, geometry.padding == .zero else {
      throw .invalidAttribute(
        name: "group", value: "\(groups)", expected: "a divisor of \(x.shape[1])")
    }
    let expected = [x.shape[1], weights.shape[1]] + geometry.window.kernel
    guard weights.shape.dimensions == expected else {
      throw .shapeMismatch(input: 1, expected: "\(Shape(expected))", found: weights.shape)
    }
    let (channels, overflow) = weights.shape[1].multipliedReportingOverflow(by: groups)
    guard !overflow else { throw .tooLarge(weights.shape) }
    let type = try ResultType(
      x.elementType, checking: [x.shape[0], channels] + extents(of: x.shape))
    if inputs.optional(2) != nil {
      let bias = try inputs.operand(2, of: x.elementType)
      guard bias.shape == [channels] else {
        throw .shapeMismatch(input: 2, expected: "[\(channels)]", found: bias.shape)
      }
    }
    return [type]
  }

  /// Each output adds channel by channel and tap by tap, in row-major order; the bias is last.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (x, weights) = (try inputs.required(0), try inputs.required(1))
    // The convolution that leads back: from the result to x.
    let loops = ConvolutionLoops(
      batch: x.shape[0], groups: geometry.groups,
      groupInputs: type.shape[1] / geometry.groups, groupOutputs: x.shape[1] / geometry.groups,
      walk: WindowWalk(
        geometry.window, input: Array(type.shape.dimensions[2...]),
        output: Array(x.shape.dimensions[2...])))
    if case .double(let elements) = x.storage {
      var result = loops.runBackward(elements, weights.doubles)
      if let bias = inputs.optional(2) { addBias(bias.doubles, to: &result, shape: type.shape) }
      return [Tensor(result, shape: type.shape)]
    }
    var result = loops.runBackward(x.floats, weights.floats)
    if let bias = inputs.optional(2) { addBias(bias.floats, to: &result, shape: type.shape) }
    return [Tensor(rounding: result, shape: type.shape, to: type.elementType)]
  }

  /// (x − 1) · stride + span − pads + output padding
  private func extents(of shape: Shape) throws(OperatorError) -> [Int] {
    let window = geometry.window
    let added = outputPadding.isEmpty ? window.kernel.map { _ in 0 } : outputPadding
    try window.checkLists()
    guard added.count == window.spatialRank, added.allSatisfy({ $0 >= 0 && $0 < 1 << 40 }) else {
      throw .invalidAttribute(
        name: "output_padding", value: "\(added)", expected: "\(window.spatialRank) numbers")
    }
    var extents: [Int] = []
    for axis in 0..<window.spatialRank {
      let (steps, overflow) = max(shape[axis + 2] - 1, 0)
        .multipliedReportingOverflow(by: window.strides[axis])
      guard !overflow, steps < 1 << 40 else { throw .tooLarge(shape) }
      let extent =
        steps + window.span(axis) + added[axis] - window.padsBegin[axis] - window.padsEnd[axis]
      guard extent > 0, shape[axis + 2] > 0 else {
        throw .shapeMismatch(
          input: 0, expected: "more than the pads \(window.padsBegin) take away", found: shape)
      }
      extents.append(extent)
    }
    return extents
  }
}
