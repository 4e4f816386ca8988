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

extension Node {
  /// The node's name as files and reports have it: exporters' names may hold anything.
  public var layerName: String { name.printable }
}

extension String {
  /// The first thousand characters, with `?` for each that controls something.
  package var printable: String {
    let scalars = unicodeScalars.prefix(1000).map { scalar in
      scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) ? "?" : scalar
    }
    return String(String.UnicodeScalarView(scalars))
  }
}
