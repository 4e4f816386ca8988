import BNNGraph

/// The functions that a model defines.
struct FunctionTable {
  private var functions: [Key: OnnxFunction] = [:]

  private struct Key: Hashable {
    var domain: String
    var name: String
    var overload: String
  }

  init(_ functions: [OnnxFunction]) {
    for function in functions {
      let key = Key(
        domain: function.domain, name: function.name, overload: function.overload)
      self.functions[key] = function
    }
  }

  /// The function that a node calls.
  subscript(node: OnnxNode) -> OnnxFunction? {
    functions[Key(domain: node.domain, name: node.opType, overload: node.overload)]
  }

  /// Collects every operator that there is neither a builder nor a function for, also in the
  /// functions that are called.
  func checkOperators(_ nodes: [OnnxNode]) throws(ImportFault) {
    var unsupported: [UnsupportedOperator] = []
    var position: [Key: Int] = [:]
    var seen: Set<Key> = []
    var open = nodes[...]
    while let node = open.popFirst() {
      guard OnnxOperator.definition(of: node) == nil else { continue }
      let key = Key(domain: node.domain, name: node.opType, overload: node.overload)
      if let function = functions[key] {
        if seen.insert(key).inserted { open += function.nodes }
      } else if let index = position[key] {
        unsupported[index].nodes.append(node.name)
      } else {
        position[key] = unsupported.count
        unsupported.append(
          UnsupportedOperator(op: node.opType, domain: node.domain, nodes: [node.name]))
      }
    }
    guard unsupported.isEmpty else { throw ImportFault(.unsupportedOperators(unsupported)) }
  }
}

extension OnnxFunction {
  /// The body as a graph, with the attributes that a caller gives put in.
  func body(attributes: [OnnxAttribute]) -> OnnxGraph {
    var values: [String: OnnxAttribute.Value] = [:]
    for attribute in defaults + attributes { values[attribute.name] = attribute.value }
    return OnnxGraph(
      name: name, nodes: nodes.map { $0.resolving(values) }, initializers: [],
      inputs: inputs.map { OnnxValueInfo(name: $0, type: .missing) },
      outputs: outputs.map { OnnxValueInfo(name: $0, type: .missing) })
  }
}

extension OnnxNode {
  /// The node with the caller's values in place of references; one to a value that the caller
  /// leaves out is left out.
  fileprivate func resolving(_ values: [String: OnnxAttribute.Value]) -> OnnxNode {
    var node = self
    node.attributes = attributes.compactMap { attribute in
      var attribute = attribute
      switch attribute.value {
      case .reference(let name):
        guard let value = values[name] else { return nil }
        attribute.value = value
      case .graph(var graph):
        graph.nodes = graph.nodes.map { $0.resolving(values) }
        attribute.value = .graph(graph)
      default: break
      }
      return attribute
    }
    return node
  }
}

extension NodeBuilder {
  /// Puts a function's body in place of the node.
  func inline(_ function: OnnxFunction) throws(ImportFault) {
    guard source.inputs.count <= function.inputs.count else {
      throw fault(
        .wrongInputCount(found: source.inputs.count, expected: 0...function.inputs.count))
    }
    var values: [String: ValueID] = [:]
    for (index, name) in function.inputs.enumerated() { values[name] = optionalInput(index) }
    // A function without versions of its own means those of the model.
    let version =
      try OnnxImporter.operatorSet(in: function.operatorSets) ?? assembly.scope.operatorSet
    var body = function.body(attributes: source.attributes)
    body.inputs.removeAll { values[$0.name] == nil }
    body.dropMissing(function.inputs.filter { values[$0] == nil })
    let outputs = try assembly.inline(
      body, in: self, inputs: values, operatorSet: version, seesOuter: false)
    for (index, value) in outputs.enumerated() { try emitAlias(of: value, output: index) }
    try checkOutputs()
  }
}

extension OnnxGraph {
  /// Inputs that the caller leaves out are left out of the nodes.
  fileprivate mutating func dropMissing(_ names: [String]) {
    guard !names.isEmpty else { return }
    for index in nodes.indices {
      nodes[index].inputs = nodes[index].inputs.map { names.contains($0) ? "" : $0 }
    }
  }
}
