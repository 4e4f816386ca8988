import BNNGraph
import BNNTensor

/// The graph under construction, and what is known about its values by name.
final class GraphAssembly {
  private(set) var graph: Graph
  private var inference = TypeInference(isOpen: false)
  private let functions: FunctionTable
  /// The graph, and those of its inner graphs and functions that are being added, innermost last.
  private var scopes: [Scope]
  /// How many nodes there may still be: a function that calls others several times over can stand
  /// for far more nodes than its file has.
  private var allowance: Int

  static let depthLimit = 32

  /// The names of one graph or function body.
  struct Scope {
    /// Begins the names of nodes and values, so that they can be told apart.
    var prefix: String
    var operatorSet: Int64
    var values: [String: ValueID] = [:]
    /// Names that some node or the caller reads.
    var used: Set<String>
    var outputs: Set<String>
    /// Names of the scopes around it are known, too.
    var seesOuter: Bool

    init(of source: OnnxGraph, prefix: String, operatorSet: Int64, seesOuter: Bool) {
      self.prefix = prefix
      self.operatorSet = operatorSet
      self.seesOuter = seesOuter
      outputs = Set(source.outputs.map(\.name))
      used = outputs.union(source.nodes.flatMap(\.reads))
    }
  }

  init(source: OnnxGraph, operatorSet: Int64, functions: FunctionTable) {
    graph = Graph(name: source.name)
    self.functions = functions
    allowance = source.nodes.count + (1 << 18)
    scopes = [Scope(of: source, prefix: "", operatorSet: operatorSet, seesOuter: false)]
  }

  // MARK: Inputs, constants, outputs

  func addInputs(_ options: ImportOptions, of source: OnnxGraph) throws(ImportFault) {
    var inputs = source.freeInputs
    for name in options.inputConstants.keys.sorted()
    where !inputs.contains(where: { $0.name == name }) {
      throw ImportFault(.noSuchInput(available: inputs.map(\.name)), at: .input(name: name))
    }
    inputs.removeAll { options.inputConstants.keys.contains($0.name) }
    let shapes = InputShapes(options)
    try shapes.check(against: inputs.map(\.name))
    var types: [ValueType] = []
    for input in inputs { types.append(try input.valueType(shapes)) }
    inference = TypeInference(isOpen: types.contains(where: \.isOpen))
    for (input, type) in zip(inputs, types) {
      let value = graph.addInput(name: input.name, type: type)
      try infer { () throws(GraphError) in try inference.add(value, graph[value]) }
      bind(input.name, to: value)
    }
    for (name, tensor) in options.inputConstants.sorted(by: { $0.key < $1.key }) {
      bind(name, to: try addConstant(tensor, name: name))
    }
  }

  func addInitializers(_ source: OnnxGraph) throws(ImportFault) {
    for (name, tensor) in source.initializers where isUsed(name) {
      bind(name, to: try addConstant(tensor, name: scope.prefix + name))
    }
  }

  /// Ends the construction.
  func finish(_ source: OnnxGraph) throws(ImportFault) -> Graph {
    graph.outputs = source.outputs.compactMap { value($0.name) }
    try infer { () throws(GraphError) in
      try graph.removeDeadNodes()
      try graph.verify()
      try graph.inferTypes()
    }
    return graph
  }

  private func infer<Result>(
    _ body: () throws(GraphError) -> Result
  ) throws(ImportFault) -> Result {
    do throws(GraphError) {
      return try body()
    } catch {
      throw ImportFault(.graph(error))
    }
  }

  // MARK: For builders

  var scope: Scope { scopes[scopes.count - 1] }
  func isUsed(_ name: String) -> Bool { scope.used.contains(name) }

  /// Whether the graph's caller knows a value by this name.
  func isGraphOutput(_ name: String) -> Bool { scopes.count == 1 && scope.outputs.contains(name) }

  func value(_ name: String) -> ValueID? {
    for scope in scopes.reversed() {
      if let value = scope.values[name] { return value }
      if !scope.seesOuter { return nil }
    }
    return nil
  }

  func elementType(_ value: ValueID) -> ElementType? { inference.elementType(of: value) }

  func type(_ value: ValueID) throws(ImportFault) -> ValueType {
    let type = try infer { () throws(GraphError) in
      try inference.type(of: value, name: graph[value].name)
    }
    return try type.orFault(.undefinedValue(name: graph[value].name))
  }

  /// The elements of a constant, or of a small value that follows from constants and shapes.
  func knownValue(_ value: ValueID) -> Tensor? {
    graph[value].constant ?? inference.knownValue(of: value)
  }

  func addConstant(_ tensor: Tensor, name: String) throws(ImportFault) -> ValueID {
    let value = graph.addConstant(tensor, name: name)
    try infer { () throws(GraphError) in try inference.add(value, graph[value]) }
    return value
  }

  func bind(_ name: String, to value: ValueID) { scopes[scopes.count - 1].values[name] = value }

  /// Adds a node with new values as outputs.
  func addNode(
    _ op: Op, name: String, inputs: [ValueID?], outputs names: [String]
  ) throws(ImportFault) -> [ValueID] {
    let outputs = names.map { graph.addValue(Value(name: $0)) }
    let node = Node(name: name, op: op, inputs: inputs, outputs: outputs)
    graph.nodes.append(node)
    try infer { () throws(GraphError) in try inference.add(node) }
    return outputs
  }
}

// MARK: Nodes of the source

extension GraphAssembly {
  /// Adds the nodes that a graph's outputs need, each by its operator's builder.
  func addNodes(of source: OnnxGraph) throws(ImportFault) {
    let order = try NodeOrder.sorted(source)
    let isNeeded = NodeOrder.needed(source, order: order)
    for index in order where isNeeded[index] { try add(source.nodes[index]) }
  }

  /// Adds the nodes of an inner graph or a function's body in place of a node.
  ///
  /// - Parameter inputs: the values of its inputs by name; nil where one is left out.
  /// - Returns: the values of its outputs, in order.
  func inline(
    _ source: OnnxGraph, in node: NodeBuilder, inputs: [String: ValueID], operatorSet: Int64,
    seesOuter: Bool
  ) throws(ImportFault) -> [ValueID] {
    guard scopes.count < GraphAssembly.depthLimit else {
      throw node.fault(.nestedTooDeeply(limit: GraphAssembly.depthLimit))
    }
    try functions.checkOperators(source.nodes)
    try NodeOrder.checkNames(source) { seesOuter && value($0) != nil }
    scopes.append(
      Scope(
        of: source, prefix: node.name + "/", operatorSet: operatorSet, seesOuter: seesOuter))
    defer { scopes.removeLast() }
    for (name, value) in inputs { bind(name, to: value) }
    try addInitializers(source)
    try addNodes(of: source)
    var outputs: [ValueID] = []
    for output in source.outputs {
      outputs.append(try value(output.name).orFault(.undefinedValue(name: output.name)))
    }
    return outputs
  }

  private func add(_ source: OnnxNode) throws(ImportFault) {
    allowance -= 1
    guard allowance >= 0 else { throw ImportFault(.tooManyParts) }
    let node = NodeBuilder(source, assembly: self)
    guard let definition = OnnxOperator.definition(of: source) else {
      guard let function = functions[source] else { return }
      return try node.inline(function)
    }
    guard scope.operatorSet >= definition.since else {
      throw node.fault(
        .needsOperatorSet(version: scope.operatorSet, atLeast: definition.since))
    }
    try node.checkInputs(definition.inputs)
    try definition.build(node)
    try node.checkAttributes()
    try node.checkOutputs()
  }
}

extension OnnxGraph {
  /// The inputs that the caller gives: in old files, initializers are listed among the inputs.
  var freeInputs: [OnnxValueInfo] {
    let initialized = Set(initializers.map(\.name))
    return inputs.filter { !initialized.contains($0.name) }
  }
}

extension OnnxValueInfo {
  /// The declared element type; nil where none is declared, as old files have it for outputs.
  func elementType(at place: ImportError.Place) throws(ImportFault) -> ElementType? {
    switch type {
    case .missing, .tensor(elementType: 0, _): return nil
    case .other(let kind): throw ImportFault(.unsupportedKind(kind), at: place)
    case .tensor(let code, _):
      guard let type = OnnxElementType.type(code) else {
        throw ImportFault(.unsupportedElementType(OnnxElementType.name(code)), at: place)
      }
      return type
    }
  }

  /// The type of an input of the model.
  fileprivate func valueType(_ shapes: InputShapes) throws(ImportFault) -> ValueType {
    let place = ImportError.Place.input(name: name)
    guard let elementType = try elementType(at: place), case .tensor(_, let extents) = type else {
      throw ImportFault(.unsupportedKind("undeclared"), at: place)
    }
    let declared = extents?.map { extent -> Int? in
      // Some exporters write −1 for an extent that is not known.
      if case .value(let value) = extent, value >= 0 { Int(value) } else { nil }
    }
    return ValueType(elementType, try shapes.dimensions(of: name, declared: declared))
  }
}
