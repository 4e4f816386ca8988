import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let convolutions: [String: OnnxOperator] = [
    "Conv": OnnxOperator(2...3, build: convolution),
    "ConvTranspose": OnnxOperator(2...3, build: transposedConvolution),
  ]

  private static func convolution(_ node: NodeBuilder) throws(ImportFault) {
    let groups = try groups(of: node)
    let attributes = try WindowAttributes(node)
    let make = { (window: WindowGeometry) -> Op in
      .convolution(
        Convolution(geometry: ConvolutionGeometry(window: window, groups: groups)))
    }
    let kernel = try kernel(of: node, attributes)
    if let kernel, let window = try attributes.window(kernel: kernel, input: nil) {
      return node.emit(make(window), node.inputs)
    }
    node.emit(make(WindowGeometry(kernel: [])), node.inputs)
    let values = [try node.input(0), try node.input(1)]
    node.assembly.deferOp(until: values) { (types) throws(ImportFault) -> Op in
      guard types.count == 2, let extents = types[0].fixedSpatialExtents,
        let kernel = kernel ?? types[1].fixedSpatialExtents,
        let window = try attributes.window(kernel: kernel, input: extents)
      else { throw attributes.unknownExtents }
      return make(window)
    }
  }

  private static func transposedConvolution(_ node: NodeBuilder) throws(ImportFault) {
    let groups = try groups(of: node)
    let attributes = try WindowAttributes(node)
    let outputPadding = try node.integers("output_padding")
    let outputShape = try node.integers("output_shape")
    let make = { (window: WindowGeometry, outputPadding: [Int]) -> Op in
      .transposedConvolution(
        TransposedConvolution(
          geometry: ConvolutionGeometry(window: window, groups: groups),
          outputPadding: outputPadding))
    }
    let kernel = try kernel(of: node, attributes)
    if let kernel, outputShape == nil, !attributes.isSame {
      let window = try attributes.explicitWindow(kernel: kernel)
      return node.emit(make(window, outputPadding ?? kernel.map { _ in 0 }), node.inputs)
    }
    node.emit(make(WindowGeometry(kernel: []), []), node.inputs)
    let values = [try node.input(0), try node.input(1)]
    node.assembly.deferOp(until: values) { (types) throws(ImportFault) -> Op in
      guard types.count == 2, let extents = types[0].fixedSpatialExtents,
        let kernel = kernel ?? types[1].fixedSpatialExtents
      else { throw attributes.unknownExtents }
      let (window, outputPadding) = try attributes.transposedWindow(
        kernel: kernel, input: extents, output: outputShape, outputPadding: outputPadding)
      return make(window, outputPadding)
    }
  }

  private static func groups(of node: NodeBuilder) throws(ImportFault) -> Int {
    let groups = try node.integer("group") ?? 1
    guard groups >= 1 else { throw node.invalid("group", "\(groups)", "at least 1") }
    return groups
  }

  /// The kernel's extents where the attributes or constant weights tell; both must agree.
  private static func kernel(
    of node: NodeBuilder, _ attributes: WindowAttributes
  ) throws(ImportFault) -> [Int]? {
    guard let weights = node.constant(1) else { return attributes.kernel }
    let kernel = Array(weights.shape.dimensions.dropFirst(2))
    if let declared = attributes.kernel, declared != kernel {
      throw node.invalid("kernel_shape", "\(declared)", "\(kernel) as the weights have")
    }
    return kernel
  }
}

extension ValueType {
  /// The extents after batch and channels, when all are fixed.
  fileprivate var fixedSpatialExtents: [Int]? {
    let extents = dimensions.dropFirst(2)
    return extents.contains { $0.isBatch } ? nil : extents.map { $0.extent(batch: 1) }
  }
}
