import BNNGraph
import BNNTensor

/// What an operator's builder sees of one node: its attributes and inputs, and the means to add
/// nodes of the graph that together do what it does.
final class NodeBuilder {
  let source: OnnxNode
  let assembly: GraphAssembly
  private var readAttributes = Set<String>()
  private var boundOutputs: Set<Int> = []

  init(_ source: OnnxNode, assembly: GraphAssembly) {
    self.source = source
    self.assembly = assembly
  }

  var operatorSet: Int64 { assembly.scope.operatorSet }
  /// Tells the node apart from those of other function bodies.
  var name: String { assembly.scope.prefix + source.name }

  func fault(_ reason: ImportError.Reason, attribute: String? = nil) -> ImportFault {
    ImportFault(
      reason, at: .node(name: name, op: source.opType, attribute: attribute))
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
    for (index, name) in source.outputs.enumerated()
    where !boundOutputs.contains(index) && isOutputUsed(index) {
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

  func elementType(_ index: Int) -> ElementType? {
    optionalInput(index).flatMap { assembly.elementType($0) }
  }

  /// The extents of a value, nil where one depends on the batch.
  func extents(_ value: ValueID) throws(ImportFault) -> [Int?] {
    try assembly.type(value).dimensions.map { $0.isBatch ? nil : $0.extent(batch: 1) }
  }

  /// The elements of an input, when they depend on no input of the model.
  func known(_ index: Int) -> Tensor? { optionalInput(index).flatMap { assembly.knownValue($0) } }

  /// The elements of an input that decides what the node becomes.
  func needed(_ index: Int) throws(ImportFault) -> Tensor {
    _ = try input(index)
    guard let tensor = known(index) else {
      throw ImportFault(
        .graph(
          .atNode(name: name, op: source.opType, .shapeDependsOnData(input: index))))
    }
    return tensor
  }

  /// The number that an input of one element is.
  func neededInteger(_ index: Int) throws(ImportFault) -> Int {
    let tensor = try needed(index)
    guard tensor.count == 1, let number = tensor.integers.first else {
      throw fault(.invalidValue(found: "\(tensor.shape)", expected: "one number"))
    }
    return Int(number)
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

  /// An attribute that names one of several cases.
  func choice<Kind: RawRepresentable<String> & CaseIterable>(
    _ name: String, default: Kind
  ) throws(ImportFault) -> Kind {
    guard let spelling = try string(name) else { return `default` }
    guard let kind = Kind(rawValue: spelling) else {
      throw invalid(name, spelling, Kind.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return kind
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

  func graph(_ name: String) throws(ImportFault) -> OnnxGraph? {
    switch attribute(name) {
    case nil: nil
    case .graph(let value): value
    case let other?: throw wrongType(name, other, "graph")
    }
  }

  // MARK: Outputs

  func isOutputUsed(_ index: Int) -> Bool {
    index < source.outputs.count && !source.outputs[index].isEmpty
      && assembly.isUsed(source.outputs[index])
  }

  /// Adds the node that makes the source node's first `count` outputs.
  func emit(_ op: Op, _ inputs: [ValueID?], outputs count: Int = 1) throws(ImportFault) {
    try emit(op, inputs, as: 0..<count)
  }

  /// Adds a node that makes one of the source node's outputs.
  func emit(_ op: Op, _ inputs: [ValueID?], output: Int) throws(ImportFault) {
    try emit(op, inputs, as: output..<output + 1)
  }

  private func emit(
    _ op: Op, _ inputs: [ValueID?], as outputs: Range<Int>
  ) throws(ImportFault) {
    let names = outputs.map { $0 < source.outputs.count ? source.outputs[$0] : "" }
    let values = try assembly.addNode(
      op, name: name, inputs: inputs,
      outputs: zip(outputs, names).map { index, output in
        output.isEmpty ? "\(name)/\(index)" : assembly.scope.prefix + output
      })
    for (output, value) in zip(names, values) where !output.isEmpty {
      assembly.bind(output, to: value)
    }
    boundOutputs.formUnion(outputs)
  }

  /// Adds a node on the way to the result.
  func intermediate(
    _ op: Op, _ inputs: [ValueID?], _ label: String
  ) throws(ImportFault) -> ValueID {
    let name = "\(name)/\(label)"
    return try assembly.addNode(op, name: name, inputs: inputs, outputs: [name])[0]
  }

  /// An output is this constant.
  func emitConstant(_ tensor: Tensor, output: Int = 0) throws(ImportFault) {
    boundOutputs.insert(output)
    guard output < source.outputs.count, !source.outputs[output].isEmpty else { return }
    let name = source.outputs[output]
    assembly.bind(
      name, to: try assembly.addConstant(tensor, name: assembly.scope.prefix + name))
  }

  /// An output is another value under a second name, where the graph allows that.
  func emitAlias(of value: ValueID, output: Int = 0) throws(ImportFault) {
    guard output < source.outputs.count, !source.outputs[output].isEmpty else { return }
    let name = source.outputs[output]
    guard !assembly.isGraphOutput(name), assembly.graph[value].constant != nil else {
      return try emit(.identity(Identity()), [value], output: output)
    }
    assembly.bind(name, to: value)
    boundOutputs.insert(output)
  }
}
