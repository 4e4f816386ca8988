import BNNTensor

/// What is wrong with an application of an operator, without the node.
public enum OperatorError: Error, Hashable, Sendable {
  case missingInput(index: Int)
  case wrongRank(input: Int, expected: String, found: Shape)
  case shapeMismatch(input: Int, expected: String, found: Shape)
  case wrongElementType(input: Int, found: ElementType)
  case invalidAttribute(name: String, value: String, expected: String)
  /// An element of an operand is out of range: an axis, an index, a length.
  case invalidValue(input: Int, expected: String, found: String)
  /// The node has more or fewer outputs than the operator makes.
  case wrongOutputCount(expected: Int, found: Int)
  /// A valid use that the toolkit does not support.
  case unsupported(String)
  /// The input's values are not known where they decide the output's shape.
  case shapeDependsOnData(input: Int)
  /// A result would be larger than ``ResultType/elementLimit`` elements.
  case tooLarge(Shape)
}

/// An error at a node of a graph, or in the graph's structure.
public enum GraphError: Error, Hashable, Sendable {
  case atNode(name: String, op: String, OperatorError)
  case cycle(nodes: [String])
  case undefinedValue(name: String, node: String)
  case undefinedOutput(name: String)
  case twoProducers(value: String)
  case inputWithoutType(name: String)
  /// An input with a negative extent, or with too many elements.
  case invalidInputType(name: String, ValueType)
  /// The shapes of a value, found for several batch sizes, are not a fixed part and multiples of
  /// the batch.
  case irregularBatch(value: String, batches: [Int], shapes: [Shape])
  case wrongInputs(expected: [String], found: [String])
  case inputMismatch(name: String, expected: String, found: String)
}

extension Node {
  /// Runs an operator's code and adds this node to its error.
  public func attempt<Result>(
    _ body: () throws(OperatorError) -> Result
  ) throws(GraphError) -> Result {
    do {
      return try body()
    } catch {
      throw .atNode(name: name, op: op.definition.name, error)
    }
  }
}
