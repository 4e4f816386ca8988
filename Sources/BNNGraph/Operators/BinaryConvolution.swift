import BNNTensor

/// The exact integer accumulator, as float32, of a convolution of ±1 with ±1. Inputs: x [N, C,
/// spatial…], weights: bits [O, kernel…, C / groups] (channels last, as in `PackedTensor`).
public struct BinaryConvolution: Operator, Hashable {
  public var geometry: ConvolutionGeometry

  public init(geometry: ConvolutionGeometry) {
    self.geometry = geometry
  }

  public var name: String { "BinaryConvolution" }
}

extension BinaryConvolution {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.operand(0, of: .float32)
    let weights = try inputs.operand(1, of: .sign)
    let extents = try geometry.resultShape(x: x.shape, weights: weights)
    try geometry.checkPadded(x)
    guard weights.shape.dimensions.dropFirst().reduce(1, *) <= 1 << 24 else {
      throw .unsupported("more than 2^24 taps: float32 cannot count them exactly")
    }
    return [try ResultType(.float32, checking: extents)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let (x, weights) = (try inputs.required(0), try inputs.required(1))
    let sums = try geometry.convolve(x.floats, shape: x.shape, weights: weights, elements: \.floats)
    return [Tensor(sums, shape: type.shape)]
  }
}
