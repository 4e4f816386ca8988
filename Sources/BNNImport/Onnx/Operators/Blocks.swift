import BNNGraph
import BNNTensor

/// Channels that become positions, and the other way round.
extension OnnxOperator {
  static let blocks: [String: OnnxOperator] = [
    "DepthToSpace": OnnxOperator(1...1, build: depthToSpace),
    "SpaceToDepth": OnnxOperator(1...1, build: spaceToDepth),
  ]

  private enum DepthOrder: String, CaseIterable {
    case depthColumnRow = "DCR", columnRowDepth = "CRD"
  }

  private static func depthToSpace(_ node: NodeBuilder) throws(ImportFault) {
    let order = try node.choice("mode", default: DepthOrder.depthColumnRow)
    let (block, channels, rows, columns) = try blockExtents(node)
    guard channels % (block * block) == 0 else {
      throw node.invalid("blocksize", "\(block)", "a divisor of \(channels) channels")
    }
    let depth = channels / (block * block)
    try emit(
      node,
      splitting: order == .depthColumnRow
        ? [0, block, block, depth, rows, columns] : [0, depth, block, block, rows, columns],
      order: order == .depthColumnRow ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3],
      merging: [0, depth, rows * block, columns * block])
  }

  private static func spaceToDepth(_ node: NodeBuilder) throws(ImportFault) {
    let (block, channels, rows, columns) = try blockExtents(node)
    guard rows % block == 0, columns % block == 0 else {
      throw node.invalid("blocksize", "\(block)", "a divisor of \(rows) and \(columns)")
    }
    try emit(
      node, splitting: [0, channels, rows / block, block, columns / block, block],
      order: [0, 3, 5, 1, 2, 4],
      merging: [0, channels * block * block, rows / block, columns / block])
  }

  /// The block's size and the extents after the batch.
  private static func blockExtents(
    _ node: NodeBuilder
  ) throws(ImportFault) -> (block: Int, channels: Int, rows: Int, columns: Int) {
    let block = try node.required("blocksize", try node.integer("blocksize"))
    guard block >= 1, block < 1 << 15 else {
      throw node.invalid("blocksize", "\(block)", "a positive number")
    }
    let x = try node.input(0)
    try node.requireRank(4...4, of: x)
    let extents = try node.extents(x)
    return (
      block, try node.fixed(extents, 1), try node.fixed(extents, 2), try node.fixed(extents, 3)
    )
  }

  private static func emit(
    _ node: NodeBuilder, splitting parts: [Int], order: [Int], merging extents: [Int]
  ) throws(ImportFault) {
    let split = try node.reshape(try node.input(0), parts, "split")
    let moved = try node.intermediate(
      .transpose(Transpose(permutation: order)), [split], "moved")
    try node.emit(
      .reshape(Reshape()), [moved, try node.constant(extents, "shape")])
  }
}
