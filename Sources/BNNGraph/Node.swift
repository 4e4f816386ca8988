/// One application of an operator.
public struct Node: Equatable, Sendable {
  /// Name from the source, or one made from the output's name. Not necessarily unique.
  public var name: String
  public var op: Op
  /// nil where an optional input is left out.
  public var inputs: [ValueID?]
  public var outputs: [ValueID]

  public init(name: String, op: Op, inputs: [ValueID?], outputs: [ValueID]) {
    self.name = name
    self.op = op
    self.inputs = inputs
    self.outputs = outputs
  }

  /// The input at an index, or nil when it is left out or there is none.
  public func input(_ index: Int) -> ValueID? { index < inputs.count ? inputs[index] : nil }
}
