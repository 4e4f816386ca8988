import BNNGraph
import BNNTensor

/// Builds the graph that a description gives to a checkpoint's parameters.
///
/// Each step is type-checked when it is added, so that an error names the step.
final class ArchitectureBuilder {
  private let description: ArchitectureDescription
  private(set) var graph: Graph
  private var parameters: CheckpointParameters
  private var constants: [String: ValueID] = [:]
  /// What is known of each value for a batch of 1.
  private var facts: [ValueID: OperandFact] = [:]
  private var nodeNames: [String: Int] = [:]
  private var stepCount = 0

  /// Blocks in blocks multiply; a description of more steps than this is a mistake.
  private static let maximumStepCount = 100_000

  init(_ description: ArchitectureDescription, _ parameters: CheckpointParameters) {
    self.description = description
    self.parameters = parameters
    graph = Graph(name: description.name)
  }

  func build(_ options: ImportOptions) throws(ImportFault) -> Graph {
    let shapes = InputShapes(options)
    try shapes.check(against: description.inputs.map(\.name))
    var scope = Scope(path: "graph", open: [])
    for (index, input) in description.inputs.enumerated() {
      let dimensions = try shapes.dimensions(of: input.name, declared: input.shape)
      let value = graph.addInput(name: input.name, type: ValueType(.float32, dimensions))
      facts[value] = OperandFact(elementType: .float32, shape: dimensions.shape(batch: 1))
      try scope.define(input.name, value, path: "inputs[\(index)]")
      scope.last = value
    }
    try add(description.steps, to: &scope)
    try setOutputs(scope)
    let unused = parameters.unused(except: description.ignored)
    guard unused.isEmpty else { throw ImportFault(.unusedParameters(unused)) }
    do throws(GraphError) {
      try graph.removeDeadNodes()
      try graph.verify()
      try graph.inferTypes()
    } catch {
      throw ImportFault(.graph(error))
    }
    return graph
  }

  private func setOutputs(_ scope: Scope) throws(ImportFault) {
    guard let names = description.outputs else {
      guard let last = scope.last, !graph.inputs.contains(last) else {
        throw ImportFault(.noOutputs, at: .block(path: "graph"))
      }
      graph.outputs = [last]
      graph[last].name = "output"
      return
    }
    guard !names.isEmpty else { throw ImportFault(.noOutputs, at: .block(path: "outputs")) }
    for name in names {
      let value = try scope.value(name, path: "outputs")
      graph.outputs.append(value)
      graph[value].name = name
    }
  }

  // MARK: Steps and blocks

  /// The names that steps of one place see.
  struct Scope {
    let path: String
    /// The blocks that this place is inside of.
    let open: [String]
    private var names: [String: ValueID] = [:]
    /// The result of the step before.
    var last: ValueID?

    init(path: String, open: [String]) {
      self.path = path
      self.open = open
    }

    mutating func define(
      _ name: String, _ value: ValueID, path: String
    ) throws(ImportFault) {
      guard names.updateValue(value, forKey: name) == nil else {
        throw ImportFault(.duplicateValue(name: name), at: .block(path: path))
      }
    }

    func value(_ name: String, path: String) throws(ImportFault) -> ValueID {
      guard let value = names[name] else {
        throw ImportFault(.invalidReference(name), at: .block(path: path))
      }
      return value
    }
  }

  private func add(_ steps: [JSONValue], to scope: inout Scope) throws(ImportFault) {
    for (index, step) in steps.enumerated() {
      stepCount += 1
      guard stepCount <= Self.maximumStepCount else {
        throw ImportFault(.tooManyParts, at: .block(path: scope.path))
      }
      let reader = try JSONObjectReader(step, path: "\(scope.path)[\(index)]")
      let result =
        if let block = try reader.string("use") {
          try addUses(of: block, reader, scope)
        } else {
          try addStep(reader, scope)
        }
      if let name = try reader.string("name") {
        try scope.define(name, result, path: reader.path)
      }
      try reader.checkKeys()
      scope.last = result
    }
  }

  private func addStep(
    _ reader: JSONObjectReader, _ scope: Scope
  ) throws(ImportFault) -> ValueID {
    let op = try reader.required("op", try reader.string("op"))
    guard let definition = ArchitectureOperator.all[op] else {
      throw reader.fault(
        .unknownOperator(op, known: ArchitectureOperator.all.keys.sorted()), key: "op")
    }
    let operands = try operands(reader, scope, counts: definition.operands)
    return try definition.build(
      StepBuilder(reader: reader, builder: self, operands: operands, op: op))
  }

  /// Adds a block once for each set of variables that a step gives.
  private func addUses(
    of name: String, _ reader: JSONObjectReader, _ scope: Scope
  ) throws(ImportFault) -> ValueID {
    guard let block = description.blocks[name] else {
      throw reader.fault(.invalidReference(name), key: "use")
    }
    guard !scope.open.contains(name) else {
      throw reader.fault(.cycle(nodes: scope.open + [name]), key: "use")
    }
    var operands = try operands(reader, scope, counts: block.inputs.count...block.inputs.count)
    var result: ValueID?
    for variables in try variableSets(reader) {
      if let result {
        // The uses are a chain, so each has one operand.
        guard block.inputs.count == 1 else {
          throw reader.fault(.wrongInputCount(found: 1, expected: 1...1), key: "with")
        }
        operands = [result]
      }
      let variables = block.defaults.merging(variables) { _, given in given }
      result = try add(block, name, variables, operands, reader.path, scope)
    }
    return try reader.required("with", result)
  }

  private func variableSets(
    _ reader: JSONObjectReader
  ) throws(ImportFault) -> [[String: JSONValue]] {
    let value = reader.value("with") ?? .object([:])
    let elements = if case .array(let elements) = value { elements } else { [value] }
    var sets: [[String: JSONValue]] = []
    for element in elements {
      guard case .object(let variables) = element else {
        throw reader.fault(.wrongJSONType(expected: "objects of variables"), key: "with")
      }
      sets.append(variables)
    }
    return sets
  }

  private func add(
    _ block: ArchitectureDescription.Block, _ name: String, _ variables: [String: JSONValue],
    _ operands: [ValueID], _ path: String, _ outer: Scope
  ) throws(ImportFault) -> ValueID {
    var scope = Scope(path: "\(path).\(name)", open: outer.open + [name])
    for (input, value) in zip(block.inputs, operands) {
      try scope.define(input, value, path: "blocks.\(name).inputs")
    }
    scope.last = operands.first
    var steps: [JSONValue] = []
    for (index, step) in block.steps.enumerated() {
      steps.append(try step.substituting(variables, at: "\(scope.path)[\(index)]"))
    }
    try add(steps, to: &scope)
    if let output = block.output { return try scope.value(output, path: "blocks.\(name).output") }
    guard let last = scope.last else { throw ImportFault(.noOutputs, at: .block(path: path)) }
    return last
  }

  /// The values that a step reads: those it names, else the result of the step before.
  private func operands(
    _ reader: JSONObjectReader, _ scope: Scope, counts: ClosedRange<Int>
  ) throws(ImportFault) -> [ValueID] {
    var operands: [ValueID] = []
    if let name = try reader.string("input") {
      operands = [try scope.value(name, path: reader.path(of: "input"))]
    } else if let names = try reader.strings("inputs") {
      for name in names {
        operands.append(try scope.value(name, path: reader.path(of: "inputs")))
      }
    } else if let last = scope.last {
      operands = [last]
    }
    guard counts.contains(operands.count) else {
      throw reader.fault(.wrongInputCount(found: operands.count, expected: counts))
    }
    return operands
  }

  // MARK: For operators

  func shape(of value: ValueID) -> Shape { facts[value]?.shape ?? [] }

  func hasParameter(_ name: String) -> Bool { parameters.has(name) }

  /// A parameter as a constant, under another shape if one is given. A scalar or a vector may be
  /// stored with extents of 1 around it.
  func parameter(_ name: String, path: String) throws(ImportFault) -> ValueID {
    if let value = constants[name] { return value }
    guard let tensor = parameters.take(name) else {
      throw ImportFault(.missingParameter(name), at: .block(path: path))
    }
    let value = constant(tensor, name: name)
    constants[name] = value
    return value
  }

  func constant(_ tensor: Tensor, name: String) -> ValueID {
    let value = graph.addConstant(tensor, name: name)
    facts[value] = OperandFact(
      elementType: tensor.elementType, shape: tensor.shape, value: tensor)
    return value
  }

  func tensor(_ value: ValueID) -> Tensor? { graph[value].constant }

  /// Adds a node with one output and checks its types.
  func apply(
    _ op: Op, _ inputs: [ValueID], name: String, path: String
  ) throws(ImportFault) -> ValueID {
    let results: [ResultType]
    do throws(OperatorError) {
      results = try op.definition.inferTypes(inputs.map { facts[$0] })
    } catch {
      throw ImportFault(.operation(error), at: .block(path: path))
    }
    let value = graph.add(op, name: uniqueName(name), inputs: inputs)
    if let result = results.first {
      facts[value] = OperandFact(elementType: result.elementType, shape: result.shape)
    }
    return value
  }

  /// The name, numbered when there is a node of that name.
  private func uniqueName(_ name: String) -> String {
    let count = nodeNames[name, default: 0]
    nodeNames[name] = count + 1
    return count == 0 ? name : "\(name)_\(count)"
  }
}
