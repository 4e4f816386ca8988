import BNNGraph
import BNNTensor

/// The graph under construction, and what is known about its values by name.
final class GraphAssembly {
  private(set) var graph: Graph
  let operatorSet: Int64
  private var values: [String: ValueID] = [:]
  /// Element types, by index of the value, as far as the operators alone tell.
  private var elementTypes: [ElementType?] = []
  /// Names that some node or the caller reads.
  private let used: Set<String>
  private let outputs: Set<String>
  private var deferred: [DeferredOp] = []

  /// An operator whose attributes depend on the type of values, found when the graph is complete.
  private struct DeferredOp {
    var node: Int
    var values: [ValueID]
    var resolve: ([ValueType]) throws(ImportFault) -> Op
  }

  init(source: OnnxGraph, operatorSet: Int64) {
    graph = Graph(name: source.name)
    self.operatorSet = operatorSet
    outputs = Set(source.outputs.map(\.name))
    used = outputs.union(source.nodes.flatMap(\.inputs))
  }

  // MARK: Inputs, constants, outputs

  func addInputs(_ options: ImportOptions, of source: OnnxGraph) throws(ImportFault) {
    let initialized = Set(source.initializers.map(\.name))
    var inputs = source.inputs.filter { !initialized.contains($0.name) }
    for (name, tensor) in options.inputConstants.sorted(by: { $0.key < $1.key }) {
      guard inputs.contains(where: { $0.name == name }) else {
        throw ImportFault(
          .noSuchInput(available: inputs.map(\.name)), at: .input(name: name))
      }
      bind(name, to: addConstant(tensor, name: name), tensor.elementType)
    }
    inputs.removeAll { options.inputConstants.keys.contains($0.name) }
    let shapes = InputShapes(options)
    try shapes.check(against: inputs.map(\.name))
    for input in inputs {
      let place = ImportError.Place.input(name: input.name)
      guard case .tensor(let code, let extents) = input.type else {
        if case .other(let kind) = input.type {
          throw ImportFault(.unsupportedInputType(kind), at: place)
        }
        throw ImportFault(.unsupportedInputType("undeclared"), at: place)
      }
      guard let type = OnnxElementType.type(code) else {
        throw ImportFault(.unsupportedElementType(OnnxElementType.name(code)), at: place)
      }
      let declared = extents?.map { extent -> Int? in
        // Some exporters write −1 for an extent that is not known.
        if case .value(let value) = extent, value >= 0 { Int(value) } else { nil }
      }
      let dimensions = try shapes.dimensions(of: input.name, declared: declared)
      bind(
        input.name, to: graph.addInput(name: input.name, type: ValueType(type, dimensions)), type)
    }
  }

  func addInitializers(_ source: OnnxGraph) {
    for (name, tensor) in source.initializers where used.contains(name) {
      bind(name, to: addConstant(tensor, name: name), tensor.elementType)
    }
  }

  /// Ends the construction: deferred operators are resolved, types inferred.
  func finish(_ source: OnnxGraph) throws(ImportFault) -> Graph {
    graph.outputs = source.outputs.compactMap { values[$0.name] }
    try resolveDeferred()
    do throws(GraphError) {
      try graph.removeDeadNodes()
      try graph.verify()
      try graph.inferTypes()
    } catch {
      throw ImportFault(.graph(error))
    }
    return graph
  }

  private func resolveDeferred() throws(ImportFault) {
    for operation in deferred {
      var part = graph
      part.outputs = operation.values
      do throws(GraphError) {
        try part.removeDeadNodes()
        try part.inferTypes()
      } catch {
        throw ImportFault(.graph(error))
      }
      let types = part.outputs.compactMap { part[$0].type }
      graph.nodes[operation.node].op = try operation.resolve(types)
    }
  }

  // MARK: For builders

  func value(_ name: String) -> ValueID? { values[name] }
  func isUsed(_ name: String) -> Bool { used.contains(name) }
  func isGraphOutput(_ name: String) -> Bool { outputs.contains(name) }

  func elementType(_ value: ValueID) -> ElementType? {
    value.index < elementTypes.count ? elementTypes[value.index] : nil
  }

  func addConstant(_ tensor: Tensor, name: String) -> ValueID {
    let value = graph.addConstant(tensor, name: name)
    note(tensor.elementType, of: value)
    return value
  }

  func bind(_ name: String, to value: ValueID, _ type: ElementType?) {
    values[name] = value
    note(type, of: value)
  }

  func addNode(_ node: Node) { graph.nodes.append(node) }

  func addValue(name: String, _ type: ElementType?) -> ValueID {
    let value = graph.addValue(Value(name: name))
    note(type, of: value)
    return value
  }

  /// Replaces the operator of the node added last once the types of values are known.
  func deferOp(
    until values: [ValueID], resolve: @escaping ([ValueType]) throws(ImportFault) -> Op
  ) {
    deferred.append(
      DeferredOp(node: graph.nodes.count - 1, values: values, resolve: resolve))
  }

  private func note(_ type: ElementType?, of value: ValueID) {
    while elementTypes.count <= value.index { elementTypes.append(nil) }
    elementTypes[value.index] = type
  }

  // MARK: Nodes

  /// Adds one node of the source by its operator's builder.
  func add(_ source: OnnxNode) throws(ImportFault) {
    guard let definition = OnnxOperator.find(source.opType, domain: source.domain) else { return }
    let node = NodeBuilder(source, assembly: self)
    guard operatorSet >= definition.since else {
      throw node.fault(.needsOperatorSet(version: operatorSet, atLeast: definition.since))
    }
    try node.checkInputs(definition.inputs)
    try definition.build(node)
    try node.checkAttributes()
    try node.checkOutputs()
  }
}
