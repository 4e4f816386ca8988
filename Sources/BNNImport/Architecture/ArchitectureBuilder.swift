import BNNGraph
import BNNTensor

/// Builds the graph that a description gives to a checkpoint's parameters.
///
/// Each step is type-checked when it is added, so that an error names the step. A parameter that is
/// missing or of a wrong shape is noted, and one of zeros takes its place, so that all are found at
/// once.
final class ArchitectureBuilder {
  private let description: ArchitectureDescription
  private let variables: [String: JSONValue]
  private(set) var graph: Graph
  private(set) var parameters: CheckpointParameters
  /// What was asked for, in order.
  private(set) var requests: [Architecture.Parameter] = []
  private var constants: [ParameterKey: ValueID] = [:]
  /// What is known of each value for a batch of 1.
  private var facts: [ValueID: OperandFact] = [:]
  /// The layer whose parameters a value is computed from, and nothing else.
  private var layers: [ValueID: String] = [:]
  private var nodeNames: [String: Int] = [:]
  private var stepCount = 0

  private struct ParameterKey: Hashable {
    var name: String
    var shape: Shape
  }

  /// Blocks in blocks multiply; a description of more steps than this is a mistake.
  private static let maximumStepCount = 100_000

  init(
    _ description: ArchitectureDescription, _ variables: [String: JSONValue],
    _ parameters: CheckpointParameters
  ) {
    self.description = description
    self.variables = variables
    self.parameters = parameters
    graph = Graph(name: description.name)
  }

  /// Adds all steps.
  func addSteps(_ options: ImportOptions) throws(ImportFault) {
    let shapes = InputShapes(options)
    try shapes.check(against: description.inputs.map(\.name))
    let place = JSONPlace(description.document).member("graph")
    var scope = Scope(place: place, open: [], variables: variables)
    for input in description.inputs {
      let declared = try input.extents(environment(variables))
      let dimensions = try shapes.dimensions(of: input.name, declared: declared)
      let value = graph.addInput(name: input.name, type: ValueType(.float32, dimensions))
      facts[value] = OperandFact(elementType: .float32, shape: dimensions.shape(batch: 1))
      try scope.define(input.name, value, at: input.place)
      scope.last = value
    }
    try add(description.steps, to: &scope)
    try setOutputs(scope)
  }

  /// Checks what was built.
  ///
  /// - Returns: arrays that the network does not use.
  func finish() throws(ImportFault) -> [CheckpointUse.IgnoredArray] {
    let ignored = parameters.settle(description)
    try throwProblems()
    do throws(GraphError) {
      try graph.removeDeadNodes()
      try graph.verify()
      try graph.inferTypes()
    } catch {
      throw ImportFault(.graph(error))
    }
    return ignored
  }

  private func throwProblems() throws(ImportFault) {
    guard parameters.problems.isEmpty else { throw ImportFault(.parameters(parameters.problems)) }
  }

  private func setOutputs(_ scope: Scope) throws(ImportFault) {
    let place = JSONPlace(description.document)
    guard let names = description.outputs else {
      guard let last = scope.last, !graph.inputs.contains(last) else {
        throw place.member("graph").fault(.noOutputs)
      }
      graph.outputs = [last]
      graph[last].name = "output"
      return
    }
    guard !names.isEmpty else { throw place.member("outputs").fault(.noOutputs) }
    for name in names {
      let value = try scope.value(name, at: place.member("outputs"))
      graph.outputs.append(value)
      graph[value].name = name
    }
  }

  private func environment(_ variables: [String: JSONValue]) -> ExpressionEnvironment {
    ExpressionEnvironment(variables: variables) { [parameters] in parameters.shape($0) }
  }

  // MARK: Steps and blocks

  private func add(_ steps: [JSONValue], to scope: inout Scope) throws(ImportFault) {
    for (index, step) in steps.enumerated() {
      let place = scope.place.element(index)
      let head = try JSONObjectReader(step, at: place, environment: environment(scope.variables))
      guard try head.bool("when") ?? true else { continue }
      var isFirst = true
      for variables in try repetitions(head, scope) {
        stepCount += 1
        guard stepCount <= Self.maximumStepCount else { throw place.fault(.tooManyParts) }
        let reader = try JSONObjectReader(step, at: place, environment: environment(variables))
        _ = (reader.source("when"), reader.source("each"))
        var inner = scope
        inner.variables = variables
        scope.last = try add(reader, inner, readsLast: !isFirst)
        isFirst = false
      }
      guard !isFirst else { continue }
      if let name = try head.string("name"), let last = scope.last {
        try scope.define(name, last, at: head.place)
      }
    }
  }

  /// The variables of each time that a step is applied.
  private func repetitions(
    _ reader: JSONObjectReader, _ scope: Scope
  ) throws(ImportFault) -> [[String: JSONValue]] {
    guard let each = try reader.value("each") else { return [scope.variables] }
    guard case .object(let lists) = each, !lists.isEmpty else {
      throw reader.fault(.wrongJSONType(expected: "an object of lists"), key: "each")
    }
    var count: Int?
    var result: [[String: JSONValue]] = []
    for (name, list) in lists {
      guard case .array(let values) = list, count ?? values.count == values.count else {
        throw reader.fault(.wrongJSONType(expected: "lists of the same length"), key: "each")
      }
      count = values.count
      if result.isEmpty {
        result = [[String: JSONValue]](repeating: scope.variables, count: values.count)
      }
      for (index, value) in values.enumerated() { result[index][name] = value }
    }
    return result
  }

  private func add(
    _ reader: JSONObjectReader, _ scope: Scope, readsLast: Bool
  ) throws(ImportFault) -> ValueID {
    var scope = scope
    scope.readsLast = readsLast
    let result =
      if let block = try reader.string("use") {
        try addUse(of: block, reader, scope)
      } else {
        try addStep(reader, scope)
      }
    _ = reader.source("name")
    try reader.checkKeys()
    return result
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

  private func addUse(
    of name: String, _ reader: JSONObjectReader, _ scope: Scope
  ) throws(ImportFault) -> ValueID {
    guard let block = description.blocks[name] else {
      throw reader.fault(.invalidReference(name), key: "use")
    }
    guard !scope.open.contains(name) else {
      throw reader.fault(.cycle(nodes: scope.open + [name]), key: "use")
    }
    let operands = try operands(reader, scope, counts: block.inputs.count...block.inputs.count)
    var variables = self.variables.merging(block.defaults) { _, own in own }
    if let with = try reader.value("with") {
      guard case .object(let given) = with else {
        throw reader.fault(.wrongJSONType(expected: "an object of variables"), key: "with")
      }
      variables.merge(given) { _, given in given }
    }
    var inner = Scope(
      place: reader.place.use(of: name), open: scope.open + [name], variables: variables)
    let place = JSONPlace(description.document).member("blocks").member(name)
    for (input, value) in zip(block.inputs, operands) {
      try inner.define(input, value, at: place.member("inputs"))
    }
    inner.last = operands.first
    try add(block.steps, to: &inner)
    if let output = block.output { return try inner.value(output, at: place.member("output")) }
    guard let last = inner.last else { throw reader.fault(.noOutputs) }
    return last
  }

  /// The values that a step reads: those it names, else the result of the step before.
  private func operands(
    _ reader: JSONObjectReader, _ scope: Scope, counts: ClosedRange<Int>
  ) throws(ImportFault) -> [ValueID] {
    var operands: [ValueID] = []
    let (input, inputs) = (try reader.string("input"), try reader.strings("inputs"))
    if scope.readsLast, counts.contains(1), let last = scope.last {
      operands = [last]
    } else if let input {
      operands = [try scope.value(input, at: reader.place(of: "input"))]
    } else if let inputs {
      for name in inputs {
        operands.append(try scope.value(name, at: reader.place(of: "inputs")))
      }
    } else if counts.upperBound > 0, let last = scope.last {
      operands = [last]
    }
    guard counts.contains(operands.count) else {
      throw reader.fault(.wrongInputCount(found: operands.count, expected: counts))
    }
    return operands
  }

  // MARK: For operators

  func shape(of value: ValueID) -> Shape { facts[value]?.shape ?? [] }

  /// A parameter as a constant: the first of several names that the checkpoint has.
  ///
  /// - Parameter shapes: those that it may have, the first one first; nil where any will do.
  func parameter(
    _ names: [String], shapes: [[Int]]?, at place: JSONPlace
  ) throws(ImportFault) -> ValueID {
    requests.append(Architecture.Parameter(names: names, shape: shapes?.first))
    if let taken = parameters.take(names, shapes: shapes) {
      let key = ParameterKey(name: taken.name, shape: taken.tensor.shape)
      if let value = constants[key] { return value }
      let value = constant(taken.tensor, name: taken.name)
      constants[key] = value
      return value
    }
    guard let shape = shapes?.first else {
      // Nothing can be put in its place.
      _ = parameters.settle(description)
      try throwProblems()
      throw place.fault(.invalidReference(names.first ?? ""))
    }
    guard let count = Shape(shape).checkedCount, count <= 1 << 28 else {
      throw place.fault(.invalidShape(shape.map { Int64($0) }))
    }
    let zeros = Tensor([Float](repeating: 0, count: count), shape: Shape(shape))
    return constant(zeros, name: names.first ?? "")
  }

  func constant(_ tensor: Tensor, name: String) -> ValueID {
    let value = graph.addConstant(tensor, name: name)
    facts[value] = OperandFact(
      elementType: tensor.elementType, shape: tensor.shape, value: tensor)
    let suffixes = [".weight", ".weights", "/kernel:0", "/kernel"]
    let suffix = suffixes.first { name.hasSuffix($0) } ?? ""
    layers[value] = String(name.dropLast(suffix.count))
    return value
  }

  func tensor(_ value: ValueID) -> Tensor? { graph[value].constant }

  /// The name of the layer whose parameters a value is computed from; nil where an input is among
  /// its operands.
  func layer(of value: ValueID) -> String? { layers[value] }

  /// Adds a node with one output and checks its types.
  func apply(
    _ op: Op, _ inputs: [ValueID], name: String, at place: JSONPlace
  ) throws(ImportFault) -> ValueID {
    let results: [ResultType]
    do throws(OperatorError) {
      results = try op.definition.inferTypes(inputs.map { facts[$0] })
    } catch {
      // A parameter that is wrong is the better explanation.
      _ = parameters.problems.isEmpty ? [] : parameters.settle(description)
      try throwProblems()
      throw place.fault(.operation(error))
    }
    let value = graph.add(op, name: uniqueName(name), inputs: inputs)
    if let result = results.first {
      facts[value] = OperandFact(elementType: result.elementType, shape: result.shape)
    }
    layers[value] = layer(of: inputs)
    return value
  }

  /// The layer whose parameters all of the values are computed from: what their layers' names have
  /// in common, leaving out those that have nothing in common with the first.
  private func layer(of values: [ValueID]) -> String? {
    let names = values.compactMap { layers[$0]?.split(separator: ".") }
    guard names.count == values.count, let first = names.first else { return nil }
    let common = names.dropFirst().reduce(first) { common, name in
      let count = zip(common, name).prefix { $0 == $1 }.count
      return count == 0 ? common : Array(common.prefix(count))
    }
    return common.joined(separator: ".")
  }

  /// The name, numbered when there is a node of that name.
  private func uniqueName(_ name: String) -> String {
    let count = nodeNames[name, default: 0]
    nodeNames[name] = count + 1
    return count == 0 ? name : "\(name)_\(count)"
  }
}

/// The names that the steps of one place see.
private struct Scope {
  let place: JSONPlace
  /// The blocks that this place is inside of.
  let open: [String]
  var variables: [String: JSONValue]
  private var names: [String: ValueID] = [:]
  /// The result of the step before.
  var last: ValueID?
  /// Whether a step is repeated, so that it reads what it gave before.
  var readsLast = false

  init(place: JSONPlace, open: [String], variables: [String: JSONValue]) {
    self.place = place
    self.open = open
    self.variables = variables
  }

  mutating func define(
    _ name: String, _ value: ValueID, at place: JSONPlace
  ) throws(ImportFault) {
    guard names.updateValue(value, forKey: name) == nil else {
      throw place.fault(.duplicateValue(name: name))
    }
  }

  func value(_ name: String, at place: JSONPlace) throws(ImportFault) -> ValueID {
    guard let value = names[name] else { throw place.fault(.invalidReference(name)) }
    return value
  }
}
