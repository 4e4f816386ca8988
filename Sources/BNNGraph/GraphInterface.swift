import BNNTensor

extension Graph {
  /// Finds the type of every value from the inputs' types, the batch left open.
  public mutating func inferTypes() throws(GraphError) {}

  /// Checks the structure: every value has one producer, is defined before use, no cycle.
  public func verify() throws(GraphError) {}

  /// Removes nodes and values that no output needs, and sorts the nodes so that producers come
  /// first, otherwise keeping their order.
  public mutating func removeDeadNodes() throws(GraphError) {}
}

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
  ) throws(GraphError) -> [ValueID: Tensor] { [:] }
}
