import BNNGraph
import BNNTensor

extension OnnxOperator {
  static let pools: [String: OnnxOperator] = [
    "MaxPool": OnnxOperator(1...1, build: maxPool),
    "AveragePool": OnnxOperator(1...1, build: averagePool),
    "GlobalMaxPool": OnnxOperator(1...1) { globalPool($0, .maximum) },
    "GlobalAveragePool": OnnxOperator(1...1) { globalPool($0, .average(countPadding: false)) },
  ]

  private static func maxPool(_ node: NodeBuilder) throws(ImportFault) {
    // The order of the indices, an output that is not supported.
    node.ignore("storage_order")
    try pool(node, .maximum)
  }

  private static func averagePool(_ node: NodeBuilder) throws(ImportFault) {
    try pool(node, .average(countPadding: try node.flag("count_include_pad")))
  }

  private static func globalPool(_ node: NodeBuilder, _ kind: Pool.Kind) {
    node.emit(
      .pool(Pool(kind: kind, window: WindowGeometry(kernel: []), isGlobal: true)), node.inputs)
  }

  private static func pool(_ node: NodeBuilder, _ kind: Pool.Kind) throws(ImportFault) {
    let ceiling = try node.flag("ceil_mode")
    let attributes = try WindowAttributes(node)
    let kernel = try node.required("kernel_shape", attributes.kernel)
    if let window = try attributes.window(kernel: kernel, input: nil) {
      return node.emit(.pool(Pool(kind: kind, window: window, ceiling: ceiling)), node.inputs)
    }
    node.emit(.pool(Pool(kind: kind, window: WindowGeometry(kernel: kernel))), node.inputs)
    node.assembly.deferOp(until: [try node.input(0)]) { (types) throws(ImportFault) -> Op in
      guard let dimensions = types.first?.dimensions.dropFirst(2),
        !dimensions.contains(where: { $0.isBatch }),
        let window = try attributes.window(
          kernel: kernel, input: dimensions.map { $0.extent(batch: 1) })
      else { throw attributes.unknownExtents }
      return .pool(Pool(kind: kind, window: window, ceiling: ceiling))
    }
  }
}
