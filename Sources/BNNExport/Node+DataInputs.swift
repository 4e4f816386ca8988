import BNNGraph

extension Node {
  /// The operands whose elements the node's layers read. The others only decide shapes, which type
  /// inference has done.
  var dataInputs: [ValueID] {
    let indices: [Int] =
      switch op {
      case .reshape, .squeeze, .unsqueeze, .expand, .tile, .slice, .split, .reduce: [0]
      case .topK, .cumulativeSum, .resize: [0]
      case .pad: [0, 2]
      default: Array(inputs.indices)
      }
    return indices.compactMap(input)
  }
}
