extension ArrayOperation {
  /// Multiply-accumulates for a batch of one.
  package func products(of layer: Layer, in model: BinaryModel) -> Int {
    let shapes = layer.inputs.map { model.values[$0].dimensions.shape(batch: 1) }
    let result = layer.outputs.first.map { model.values[$0].dimensions.shape(batch: 1).count } ?? 0
    guard shapes.count > 1 else { return 0 }
    switch self {
    case .matrixProduct: return result * (shapes[0].dimensions.last ?? 1)
    case .convolution: return result * shapes[1].dimensions.dropFirst().reduce(1, *)
    case .transposedConvolution:
      return shapes[0].count * shapes[1].dimensions.dropFirst().reduce(1, *)
    default: return 0
    }
  }

  /// What kind of product it is; nil where it is none.
  var productTitle: String? {
    switch self {
    case .matrixProduct: "matrix product"
    case .convolution: "convolution"
    case .transposedConvolution: "transposed convolution"
    default: nil
    }
  }
}
