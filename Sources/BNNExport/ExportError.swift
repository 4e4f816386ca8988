import BNNFormat
import BNNGraph

/// Why a graph cannot become a model.
public enum ExportError: Error, Hashable, Sendable {
  /// Nodes that have no layer: all of them.
  case notLowerable([Problem])
  /// The graph is not well formed.
  case graph(GraphError)
  /// The model breaks a rule of the file format.
  case format(FormatError)

  /// A node that has no layer.
  public struct Problem: Hashable, Sendable {
    public var node: String
    public var op: String
    public var reason: Reason

    public init(node: String, op: String, reason: Reason) {
      self.node = node
      self.op = op
      self.reason = reason
    }
  }

  public enum Reason: Error, Hashable, Sendable {
    /// No layer does what the operator does.
    case unsupportedOperator
    /// The operator's form has no layer.
    case unsupportedForm(String)
    /// An operand that must be a constant depends on the input.
    case constantExpected(input: Int)
    /// The operand is not known to be ±1.
    case bitsExpected(value: String)
    /// Files hold no values of the type of a value, or its extents are not known.
    case unknownType(value: String)
    /// The batch would not stay the first dimension.
    case batchMoves(value: String)
    /// Entries of the batch would be mixed.
    case acrossBatch(axis: Int)
  }
}
