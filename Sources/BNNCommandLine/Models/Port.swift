import BNNKit

/// An input or an output of a model.
struct Port: Hashable, Sendable {
  var name: String
  var elementType: ElementType
  /// nil when nothing is known before a run.
  var dimensions: [Dimension]?

  var shapeText: String {
    guard let dimensions else { return "[?]" }
    return "[" + dimensions.map(\.description).joined(separator: ",") + "]"
  }
}

struct NamedTensor: Sendable {
  var name: String
  var tensor: Tensor
}

/// A model that the commands can run.
protocol RunnableModel {
  var inputs: [Port] { get }
  var outputs: [Port] { get }
  /// What computes, as the user knows it.
  var kernels: String { get }
  /// Runs on inputs that fit the ports.
  func run(_ inputs: [String: Tensor]) throws(CommandError) -> [NamedTensor]
}
