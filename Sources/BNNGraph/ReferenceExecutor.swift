import BNNTensor

/// Evaluates a graph in float32 with ONNX semantics, node by node.
public struct ReferenceExecutor: Sendable {
  public let graph: Graph

  public init(_ graph: Graph) { self.graph = graph }

  /// Runs the graph.
  ///
  /// - Parameters:
  ///   - inputs: one tensor per graph input, by name.
  ///   - keeping: further values to return.
  /// - Returns: the graph's outputs and the values of `keeping`.
  public func run(
    _ inputs: [String: Tensor], keeping: Set<ValueID> = []
  ) throws(GraphError) -> [ValueID: Tensor] {
    try graph.verify()
    try check(inputs)
    let order = try graph.topologicalOrder()
    var tensors = graph.values.map(\.constant)
    for id in graph.inputs { tensors[id.index] = inputs[graph[id].name] }
    let kept = keeping.union(graph.outputs)
    let lastUses = lastUses(in: order)
    for (position, index) in order.enumerated() {
      let node = graph.nodes[index]
      let operands = node.inputs.map { $0.flatMap { tensors[$0.index] } }
      let results = try node.attempt { () throws(OperatorError) in
        try node.op.definition.evaluate(operands)
      }
      try node.checkOutputs(results.count)
      for (id, result) in zip(node.outputs, results) { tensors[id.index] = result }
      // What nobody will read again is let go, so that a run holds few activations at a time.
      for id in node.inputs.compactMap({ $0 }) + node.outputs
      where !kept.contains(id) && lastUses[id.index] <= position {
        tensors[id.index] = nil
      }
    }
    var result: [ValueID: Tensor] = [:]
    for id in kept where tensors.indices.contains(id.index) { result[id] = tensors[id.index] }
    return result
  }

  /// For every value, the position of its last user; −1 where there is none.
  private func lastUses(in order: [Int]) -> [Int] {
    var result = [Int](repeating: -1, count: graph.values.count)
    for (position, index) in order.enumerated() {
      for case let id? in graph.nodes[index].inputs { result[id.index] = position }
    }
    return result
  }

  /// The inputs have the names, types and extents of the graph's, all with the same batch.
  package func check(_ inputs: [String: Tensor]) throws(GraphError) {
    let names = graph.inputs.map { graph[$0].name }
    guard Set(names) == Set(inputs.keys) else {
      throw .wrongInputs(expected: names, found: inputs.keys.sorted())
    }
    var batch: Int?
    for id in graph.inputs {
      let value = graph[id]
      guard let type = value.type else { throw .inputWithoutType(name: value.name) }
      let ofBatch = batch.map { " with N = \($0)" } ?? ""
      guard let tensor = inputs[value.name], type.accepts(tensor, batch: &batch) else {
        let found = inputs[value.name].map { "\($0.elementType)\($0.shape)" } ?? "nothing"
        throw .inputMismatch(name: value.name, expected: "\(type)\(ofBatch)", found: found)
      }
    }
  }
}

extension ValueType {
  /// Whether a tensor is of this type for the batch, which the first open dimension decides.
  fileprivate func accepts(_ tensor: Tensor, batch: inout Int?) -> Bool {
    guard tensor.elementType == elementType, tensor.shape.rank == rank else { return false }
    for (dimension, extent) in zip(dimensions, tensor.shape.dimensions) {
      if case .batch(let multiple) = dimension, batch == nil, multiple > 0, extent > 0,
        extent % multiple == 0
      {
        batch = extent / multiple
      }
      if dimension.isBatch, batch == nil { return false }
      guard extent == dimension.checkedExtent(batch: batch ?? 0) else { return false }
    }
    return true
  }
}
