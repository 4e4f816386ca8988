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
