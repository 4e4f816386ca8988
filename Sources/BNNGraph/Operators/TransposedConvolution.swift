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
