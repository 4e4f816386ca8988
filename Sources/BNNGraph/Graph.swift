import BNNTensor

/// A network as a directed acyclic graph of operators with ONNX semantics (NCHW) plus the
/// toolkit's own binary operators.
///
/// Passes edit a graph by adding nodes (anywhere: the driver sorts) and redirecting uses. They do
/// not remove nodes: what nothing uses any more is removed by ``removeDeadNodes()``, which the
/// driver calls. Indices of nodes therefore stay valid while a pass runs.
public struct Graph: Equatable, Sendable {
  public var name: String
  public private(set) var values: [Value] = []
  public var nodes: [Node] = []
  public var inputs: [ValueID] = []
  public var outputs: [ValueID] = []

  public init(name: String = "") { self.name = name }

  public subscript(id: ValueID) -> Value {
    get { values[id.index] }
    set { values[id.index] = newValue }
  }

  public var valueIDs: [ValueID] { values.indices.map(ValueID.init(index:)) }

  // MARK: Building

  /// Adds a value that no node makes yet.
  public mutating func addValue(_ value: Value) -> ValueID {
    values.append(value)
    return ValueID(index: values.count - 1)
  }

  public mutating func addInput(name: String, type: ValueType) -> ValueID {
    let id = addValue(Value(name: name, type: type))
    inputs.append(id)
    return id
  }

  public mutating func addConstant(_ tensor: Tensor, name: String) -> ValueID {
    addValue(
      Value(name: name, type: ValueType(tensor.elementType, tensor.shape), constant: tensor))
  }

  /// Adds a node with one output and returns that output, which is named like the node.
  public mutating func add(_ op: Op, name: String, inputs: [ValueID?]) -> ValueID {
    let output = addValue(Value(name: name))
    nodes.append(Node(name: name, op: op, inputs: inputs, outputs: [output]))
    return output
  }

  /// Makes every user of `old`, the graph's outputs included, use `new`. The name of a graph
  /// output moves to the new value; where that is an input or an output already, an `Identity`
  /// keeps the output and its name.
  public mutating func replaceUses(of old: ValueID, with new: ValueID) {
    guard old != new else { return }
    for index in nodes.indices where nodes[index].inputs.contains(old) {
      nodes[index].inputs = nodes[index].inputs.map { $0 == old ? new : $0 }
    }
    guard outputs.contains(old) else { return }
    let name = values[old.index].name
    var replacement = new
    if inputs.contains(new) || outputs.contains(new) {
      values[old.index].name = ""
      replacement = add(.identity(Identity()), name: name, inputs: [new])
      values[replacement.index].type = values[new.index].type
    } else {
      values[old.index].name = values[new.index].name
      values[new.index].name = name
    }
    outputs = outputs.map { $0 == old ? replacement : $0 }
  }

  package mutating func replaceAll(
    values: [Value], nodes: [Node], inputs: [ValueID], outputs: [ValueID]
  ) {
    self.values = values
    self.nodes = nodes
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// Who makes and who uses each value, for one state of a graph's nodes.
public struct Uses: Sendable {
  private var producers: [Int?]
  private var consumers: [[Int]]
  private var outputs: Set<ValueID>

  init(_ graph: Graph) {
    producers = .init(repeating: nil, count: graph.values.count)
    consumers = .init(repeating: [], count: graph.values.count)
    outputs = Set(graph.outputs)
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs { producers[output.index] = index }
      for case let input? in Set(node.inputs) { consumers[input.index].append(index) }
    }
  }

  /// The index of the node that makes a value; nil for inputs, constants and newer values.
  public func producer(of value: ValueID) -> Int? {
    value.index < producers.count ? producers[value.index] : nil
  }

  /// The indices of the nodes that use a value, in order, each once.
  public func consumers(of value: ValueID) -> [Int] {
    value.index < consumers.count ? consumers[value.index] : []
  }

  /// Whether one node, and not the graph's caller, uses the value.
  public func isUsedOnce(_ value: ValueID) -> Bool {
    consumers(of: value).count == 1 && !outputs.contains(value)
  }
}

extension Graph {
  public func uses() -> Uses { Uses(self) }
}
