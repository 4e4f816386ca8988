import BNNTensor

/// What is known about an operand when types are inferred: its type, its shape for one batch
/// size, and its elements where they do not depend on the graph's inputs.
public struct OperandFact: Sendable {
  public var elementType: ElementType
  public var shape: Shape
  public var value: Tensor?

  public init(elementType: ElementType, shape: Shape, value: Tensor? = nil) {
    self.elementType = elementType
    self.shape = shape
    self.value = value
  }

  /// All that is to know about a tensor.
  public init(_ tensor: Tensor) {
    self.init(elementType: tensor.elementType, shape: tensor.shape, value: tensor)
  }
}

/// Element type and shape of a result for one batch size.
public struct ResultType: Hashable, Sendable {
  public var elementType: ElementType
  public var shape: Shape

  public init(_ elementType: ElementType, _ shape: Shape) {
    self.elementType = elementType
    self.shape = shape
  }
}

/// An operator: its attributes, what shapes it makes, and what it means.
///
/// `evaluate` is the meaning: constant folding, verification and the reference executor use it.
/// Both functions take one entry per input, nil for an optional input that is left out, and throw
/// an error that does not name the node; the caller adds it. Neither trusts attributes or operands:
/// `evaluate` begins with what `inferTypes` checks.
public protocol Operator: Equatable, Sendable {
  /// The name in messages and in the text form: that of the ONNX operator where there is one.
  var name: String { get }
  func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType]
  func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor]
  /// Results that follow from the operands' shapes alone, whatever their elements; nil where there
  /// are none.
  func valuesFromShapes(_ inputs: [OperandFact?]) throws(OperatorError) -> [Tensor]?
}

extension Operator {
  public func valuesFromShapes(_ inputs: [OperandFact?]) throws(OperatorError) -> [Tensor]? { nil }
}
