import BNNGraph
import BNNTensor

/// What an operator's builder sees of one node: its attributes and inputs, and the means to add
/// nodes of the graph that together do what it does.
final class NodeBuilder {
  let source: OnnxNode
  let assembly: GraphAssembly
  private var readAttributes = Set<String>()
  private var boundOutputs = 0

  init(_ source: OnnxNode, assembly: GraphAssembly) {
    self.source = source
    self.assembly = assembly
  }

  var operatorSet: Int64 { assembly.operatorSet }

  func fault(_ reason: ImportError.Reason, attribute: String? = nil) -> ImportFault {
    ImportFault(
      reason, at: .node(name: source.name, op: source.opType, attribute: attribute))
  }

  // MARK: Checks

  /// The first inputs, as many as the lower bound, must be there.
  func checkInputs(_ expected: ClosedRange<Int>) throws(ImportFault) {
    guard source.inputs.count <= expected.upperBound else {
      throw fault(.wrongInputCount(found: source.inputs.count, expected: expected))
    }
    for index in 0..<expected.lowerBound { _ = try input(index) }
  }

  /// An attribute that no builder reads may change the meaning: it is refused.
  func checkAttributes() throws(ImportFault) {
    // Told a runtime of long ago which buffers to reuse.
    readAttributes.insert("consumed_inputs")
    for attribute in source.attributes where !readAttributes.contains(attribute.name) {
      throw fault(.unknownAttribute, attribute: attribute.name)
    }
  }

  /// An output that the builder does not make must not be read.
  func checkOutputs() throws(ImportFault) {
    for (index, name) in source.outputs.enumerated().dropFirst(boundOutputs)
    where !name.isEmpty && assembly.isUsed(name) {
      throw fault(.unsupported("its output \(index) ('\(name)')"))
    }
  }

  // MARK: Inputs

  func input(_ index: Int) throws(ImportFault) -> ValueID {
    guard let value = optionalInput(index) else { throw fault(.missingInput(index: index)) }
    return value
  }

  func optionalInput(_ index: Int) -> ValueID? {
    guard index < source.inputs.count, !source.inputs[index].isEmpty else { return nil }
    return assembly.value(source.inputs[index])
  }

  /// All inputs as they are, nil where one is left out.
  var inputs: [ValueID?] { source.inputs.indices.map { optionalInput($0) } }

  /// An input's elements, when it is a constant.
  func constant(_ index: Int) -> Tensor? {
    optionalInput(index).flatMap { assembly.graph[$0].constant }
  }

  func elementType(_ index: Int) -> ElementType? {
    optionalInput(index).flatMap { assembly.elementType($0) }
  }

  // MARK: Attributes

  private func attribute(_ name: String) -> OnnxAttribute.Value? {
    readAttributes.insert(name)
    return source.attributes.first { $0.name == name }?.value
  }

  func has(_ name: String) -> Bool { source.attributes.contains { $0.name == name } }

  /// Accepts attributes that do not matter here.
  func ignore(_ names: String...) { readAttributes.formUnion(names) }

  private func wrongType(
    _ name: String, _ found: OnnxAttribute.Value, _ expected: String
  ) -> ImportFault {
    fault(.wrongAttributeType(found: found.kind, expected: expected), attribute: name)
  }

  func float(_ name: String) throws(ImportFault) -> Float? {
    switch attribute(name) {
    case nil: nil
    case .float(let value): value
    case let other?: throw wrongType(name, other, "float")
    }
  }

  func integer(_ name: String) throws(ImportFault) -> Int? {
    switch attribute(name) {
    case nil: nil
    case .integer(let value): Int(value)
    case let other?: throw wrongType(name, other, "integer")
    }
  }

  func flag(_ name: String, default: Bool = false) throws(ImportFault) -> Bool {
    guard let value = try integer(name) else { return `default` }
    guard value == 0 || value == 1 else { throw invalid(name, "\(value)", "0 or 1") }
    return value == 1
  }

  func string(_ name: String) throws(ImportFault) -> String? {
    switch attribute(name) {
    case nil: nil
    case .string(let value): value
    case let other?: throw wrongType(name, other, "string")
    }
  }

  func integers(_ name: String) throws(ImportFault) -> [Int]? {
    switch attribute(name) {
    case nil: nil
    case .integers(let values): values.map { Int($0) }
    case let other?: throw wrongType(name, other, "list of integers")
    }
  }

  func floats(_ name: String) throws(ImportFault) -> [Float]? {
    switch attribute(name) {
    case nil: nil
    case .floats(let values): values
    // Without a declared kind an empty list looks like one of integers.
    case .integers([]): []
    case let other?: throw wrongType(name, other, "list of floats")
    }
  }

  func tensor(_ name: String) throws(ImportFault) -> Tensor? {
    switch attribute(name) {
    case nil: nil
    case .tensor(let value): value
    case let other?: throw wrongType(name, other, "tensor")
    }
  }

  func required<Value>(
    _ name: String, _ value: Value?
  ) throws(ImportFault) -> Value {
    guard let value else { throw fault(.missingAttribute, attribute: name) }
    return value
  }

  func invalid(_ name: String, _ found: String, _ expected: String) -> ImportFault {
    fault(.invalidValue(found: found, expected: expected), attribute: name)
  }

  // MARK: Results

  /// Adds the node that makes the source node's first output.
  ///
  /// - Parameter type: the result's element type; nil means that of the first input.
  func emit(_ op: Op, _ inputs: [ValueID?], type: ElementType? = nil) {
    emit(op, inputs, outputs: 1, type: type)
  }

  /// Adds the node that makes the source node's first `count` outputs.
  func emit(_ op: Op, _ inputs: [ValueID?], outputs count: Int, type: ElementType? = nil) {
    let type = type ?? resultType(inputs)
    let names = (0..<count).map { $0 < source.outputs.count ? source.outputs[$0] : "" }
    let outputs = names.enumerated().map { index, name in
      let value = assembly.addValue(
        name: name.isEmpty ? "\(source.name)/\(index)" : name, type)
      if !name.isEmpty { assembly.bind(name, to: value, type) }
      return value
    }
    assembly.addNode(Node(name: source.name, op: op, inputs: inputs, outputs: outputs))
    boundOutputs = max(boundOutputs, count)
  }

  /// Adds a node on the way to the result.
  func intermediate(
    _ op: Op, _ inputs: [ValueID?], _ label: String, type: ElementType? = nil
  ) -> ValueID {
    let name = "\(source.name)/\(label)"
    let value = assembly.addValue(name: name, type ?? resultType(inputs))
    assembly.addNode(Node(name: name, op: op, inputs: inputs, outputs: [value]))
    return value
  }

  /// The first output is this constant.
  func emitConstant(_ tensor: Tensor) {
    guard let name = source.outputs.first, !name.isEmpty else { return }
    assembly.bind(name, to: assembly.addConstant(tensor, name: name), tensor.elementType)
    boundOutputs = max(boundOutputs, 1)
  }

  /// The first output is another value under a second name, where the graph allows that.
  func emitAlias(of value: ValueID) {
    guard let name = source.outputs.first, !name.isEmpty, !assembly.isGraphOutput(name),
      assembly.graph[value].constant != nil
    else { return emit(.identity(Identity()), [value]) }
    assembly.bind(name, to: value, assembly.elementType(value))
    boundOutputs = max(boundOutputs, 1)
  }

  private func resultType(_ inputs: [ValueID?]) -> ElementType? {
    inputs.first.flatMap { $0 }.flatMap { assembly.elementType($0) }
  }

  /// A constant that stands for an attribute.
  func constant(_ tensor: Tensor, _ label: String) -> ValueID {
    assembly.addConstant(tensor, name: "\(source.name)/\(label)")
  }

  func constant(_ integers: [Int], _ label: String) -> ValueID {
    constant(Tensor(integers.map { Int64($0) }, shape: [integers.count]), label)
  }

  /// A scalar of the element type that the first input has.
  func scalar(_ value: Float, _ label: String) -> ValueID {
    switch elementType(0) {
    case .float64: constant(Tensor([Double(value)], shape: []), label)
    case .float16:
      constant(
        Tensor([Float(halfBits: value.halfBits)], shape: [], elementType: .float16), label)
    case let type? where type.isInteger:
      constant(
        Tensor([Int64(saturating: Double(value))], shape: [], elementType: type), label)
    default: constant(Tensor(scalar: value), label)
    }
  }
}
