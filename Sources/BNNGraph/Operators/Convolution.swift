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
