import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let convolutions: [String: OnnxOperator] = [
    "Conv": OnnxOperator(2...3, build: convolution),
    "ConvTranspose": OnnxOperator(2...3, build: transposedConvolution),
  ]

  private static func convolution(_ node: NodeBuilder) throws(ImportFault) {
    try node.emit(
      .convolution(Convolution(geometry: try geometry(of: node, weights: 1))), node.inputs)
  }

  /// The geometry that the attributes of a convolution and its weights, an input, give.
  static func geometry(
    of node: NodeBuilder, weights: Int
  ) throws(ImportFault) -> ConvolutionGeometry {
    let groups = try groups(of: node)
    let attributes = try WindowAttributes(node)
    let kernel = try kernel(of: node, attributes, weights: weights)
    let extents = try node.extents(try node.input(0)).dropFirst(2)
    let window = try attributes.window(kernel: kernel, input: Array(extents))
    return ConvolutionGeometry(window: window, groups: groups)
  }

  private static func transposedConvolution(_ node: NodeBuilder) throws(ImportFault) {
    let groups = try groups(of: node)
    let attributes = try WindowAttributes(node)
    let extents = try node.extents(try node.input(0)).dropFirst(2)
    let (window, outputPadding) = try attributes.transposedWindow(
      kernel: try kernel(of: node, attributes, weights: 1), input: Array(extents),
      output: try node.integers("output_shape"),
      outputPadding: try node.integers("output_padding"))
    try node.emit(
      .transposedConvolution(
        TransposedConvolution(
          geometry: ConvolutionGeometry(window: window, groups: groups),
          outputPadding: outputPadding)), node.inputs)
  }

  private static func groups(of node: NodeBuilder) throws(ImportFault) -> Int {
    let groups = try node.integer("group") ?? 1
    guard groups >= 1 else { throw node.invalid("group", "\(groups)", "at least 1") }
    return groups
  }

  /// The kernel's extents, which the weights have; an attribute must agree.
  private static func kernel(
    of node: NodeBuilder, _ attributes: WindowAttributes, weights: Int
  ) throws(ImportFault) -> [Int] {
    let extents = try node.extents(try node.input(weights))
    var kernel: [Int] = []
    for axis in extents.indices.dropFirst(2) { kernel.append(try node.fixed(extents, axis)) }
    if let declared = attributes.kernel, declared != kernel {
      throw node.invalid("kernel_shape", "\(declared)", "\(kernel) as the weights have")
    }
    return kernel
  }
}
