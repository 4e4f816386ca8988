import BNNTensor

/// Inputs: x [N, C, spatial…], weights [O, C / groups, kernel…] (or ±1 bits), optional bias [O].
/// Spatial rank 0 is the product x [N, C] · weights [O, C]ᵀ. ONNX `Conv`; the toolkit's importer
/// writes `Gemm` and `MatMul` as they are.
public struct Convolution: Operator, Hashable {
  public var geometry: ConvolutionGeometry

  public init(geometry: ConvolutionGeometry) {
    self.geometry = geometry
  }

  public var name: String { "Conv" }
}

extension Convolution {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let (x, weights) = (try inputs.float(0), try inputs.required(1))
    guard weights.elementType == x.elementType || weights.elementType == .sign else {
      throw .wrongElementType(input: 1, found: weights.elementType)
    }
    let extents = try geometry.resultShape(x: x.shape, weights: weights)
    try geometry.checkPadded(x)
    if inputs.optional(2) != nil {
      let bias = try inputs.operand(2, of: x.elementType)
      guard bias.shape == [extents[1]] else {
        throw .shapeMismatch(input: 2, expected: "[\(extents[1])]", found: bias.shape)
      }
    }
    return [try ResultType(x.elementType, checking: extents)]
  }

  /// The order of the additions is that of `ConvolutionLoops`; the bias is added last. With 16-bit
  /// floats the sum is a float32 that is rounded at the end.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (x, weights) = (try inputs.required(0), try inputs.required(1))
    if case .double(let elements) = x.storage {
      var result = try geometry.convolve(
        elements, shape: x.shape, weights: weights, elements: \.doubles)
      if let bias = inputs.optional(2) { addBias(bias.doubles, to: &result, shape: type.shape) }
      return [Tensor(result, shape: type.shape)]
    }
    var result = try geometry.convolve(
      x.floats, shape: x.shape, weights: weights, elements: \.floats)
    if let bias = inputs.optional(2) { addBias(bias.floats, to: &result, shape: type.shape) }
    return [Tensor(rounding: result, shape: type.shape, to: type.elementType)]
  }
}

extension ConvolutionGeometry {
  /// Padding with ±1 is written out when it is evaluated, so it must have a size that can be made.
  func checkPadded(_ x: OperandFact) throws(OperatorError) {
    guard padding != .zero else { return }
    var extents = x.shape.dimensions
    for axis in 0..<window.spatialRank {
      extents[axis + 2] += window.padsBegin[axis] + window.padsEnd[axis]
    }
    _ = try ResultType(x.elementType, checking: extents)
  }
}
