import BNNFormat
import BNNGraph
import BNNTensor

/// The state of a lowering: the model so far, and in which forms each graph value is there.
///
/// A form is a kind of element (of the graph's type, or bits) and a layout. A consumer asks for the
/// form it needs; the layers that make it from another form are added then, once. Constants become
/// layers when something asks for them.
struct Lowering {
  let graph: Graph
  private(set) var modelValues: [ModelValue] = []
  private(set) var layers: [Layer] = []
  private(set) var inputs: [Int] = []
  private(set) var outputs: [Int] = []
  private(set) var origins: [LoweredLayer] = []
  private(set) var sources: [LoweredValue] = []
  private var forms: [ValueID: [Form]] = [:]
  /// Inputs of types that files do not have: they are read as float32, as a cast of them would be.
  private var converted: [ValueID: Int] = [:]
  private var live: Set<ValueID> = []
  /// Values of ±1 that may not be there as bits.
  private var signs: Set<ValueID> = []

  /// One stored form of a graph value.
  struct Form {
    var isBits: Bool
    /// Physical axis i is logical axis `layout[i]`.
    var layout: [Int]
    var modelValue: Int
  }

  init(_ graph: Graph) { self.graph = graph }

  mutating func run() throws(ExportError) {
    findLiveValues()
    for id in graph.inputs { addInput(id) }
    var problems: [ExportError.Problem] = []
    var failed: Set<ValueID> = []
    for (index, node) in graph.nodes.enumerated() where node.outputs.contains(where: isLive) {
      // One problem per cause: what depends on a failed node is not reported.
      guard !node.dataInputs.contains(where: failed.contains) else {
        failed.formUnion(node.outputs)
        continue
      }
      do {
        try lower(node, index: index)
        noteSigns(node)
      } catch {
        failed.formUnion(node.outputs)
        problems.append(
          .init(node: node.name, op: node.op.definition.name, reason: error))
      }
    }
    guard problems.isEmpty else { throw .notLowerable(problems) }
    try addOutputs()
  }

  /// Walks backwards: what no output needs is not lowered.
  private mutating func findLiveValues() {
    live = Set(graph.outputs)
    for node in graph.nodes.reversed() where node.outputs.contains(where: isLive) {
      live.formUnion(node.dataInputs)
    }
  }

  func isLive(_ value: ValueID) -> Bool { live.contains(value) }

  // MARK: Model inputs and outputs

  /// Inputs have the source's layout.
  private mutating func addInput(_ id: ValueID) {
    let dimensions = graph[id].type?.dimensions ?? []
    let type = graph[id].type?.elementType ?? .float32
    let index = addValue(
      .init(
        name: graph[id].name, elementType: type.isArrayType ? type : .float32,
        dimensions: dimensions),
      holding: id, layout: Array(dimensions.indices))
    inputs.append(index)
    guard type.isArrayType else {
      converted[id] = index
      return
    }
    forms[id] = [Form(isBits: false, layout: Array(dimensions.indices), modelValue: index)]
  }

  /// The form of an input of another type as float32.
  func convertedInput(_ id: ValueID) -> Form? {
    converted[id].map { index in
      Form(
        isBits: false, layout: Array(modelValues[index].dimensions.indices), modelValue: index)
    }
  }

  private mutating func addOutputs() throws(ExportError) {
    for id in graph.outputs {
      do {
        try addOutput(id)
      } catch {
        throw .notLowerable([.init(node: graph[id].name, op: "output", reason: error)])
      }
    }
  }

  /// An output may be an input of the same name. Any other value that has a name already is handed
  /// on as a copy.
  private mutating func addOutput(_ id: ValueID) throws(ExportError.Reason) {
    let layout = Array(try dimensions(of: id).indices)
    var index = try require(id, bits: false, layout: layout)
    let isTaken = outputs.contains(index) || !modelValues[index].name.isEmpty
    if isTaken, outputs.contains(index) || modelValues[index].name != graph[id].name {
      index = addLayer(
        .reshape, name: graph[id].name, node: nil, inputs: [index],
        result: modelValues[index].type, holding: id, layout: layout)
    }
    if modelValues[index].name.isEmpty {
      var name = graph[id].name
      while modelValues.contains(where: { $0.name == name }) { name += " (output)" }
      modelValues[index].name = name
    }
    outputs.append(index)
  }

  // MARK: Values and layers

  /// The logical extents of a value.
  func dimensions(of id: ValueID) throws(ExportError.Reason) -> [Dimension] {
    guard let type = graph[id].type else { throw .unknownType(value: graph[id].name) }
    return type.dimensions
  }

  /// The type of a value that files can hold; that of bits is float32 here.
  func elementType(of id: ValueID) throws(ExportError.Reason) -> ElementType {
    switch graph[id].type?.elementType {
    case .sign: return .float32
    case let type? where type.isArrayType: return type
    default: throw .unknownType(value: graph[id].name)
    }
  }

  private mutating func addValue(
    _ value: ModelValue, holding id: ValueID, layout: [Int]
  ) -> Int {
    modelValues.append(value)
    sources.append(LoweredValue(value: id, permutation: layout))
    return modelValues.count - 1
  }

  /// Adds a layer with one result and returns the result's index.
  @discardableResult
  mutating func addLayer(
    _ operation: BNNFormat.Operation, name: String, node: Int?, inputs: [Int],
    result: PhysicalType, holding id: ValueID, layout: [Int]
  ) -> Int {
    let output = addValue(
      .init(name: "", elementType: result.elementType, dimensions: result.dimensions),
      holding: id, layout: layout)
    addLayer(operation, name: name, node: node, inputs: inputs, outputs: [output])
    return output
  }

  /// Adds a layer that makes graph values, each in a given type and layout.
  mutating func addLayer(
    _ operation: BNNFormat.Operation, of node: Int, inputs: [Int],
    results: [(id: ValueID, type: ElementType)], layout: [Int]
  ) throws(ExportError.Reason) {
    var outputs: [Int] = []
    for (id, type) in results {
      let logical = try dimensions(of: id)
      let physical = layout.map { logical[$0] }
      guard !physical.dropFirst().contains(where: \.isBatch) else {
        throw .batchMoves(value: graph[id].name)
      }
      let index = addValue(
        .init(name: "", elementType: type, dimensions: physical), holding: id, layout: layout)
      outputs.append(index)
      addForm(.init(isBits: type == .sign, layout: layout, modelValue: index), of: id)
    }
    addLayer(
      operation, name: graph.nodes[node].name, node: node, inputs: inputs, outputs: outputs)
  }

  private mutating func addLayer(
    _ operation: BNNFormat.Operation, name: String, node: Int?, inputs: [Int], outputs: [Int]
  ) {
    let fallback = node.map { "\(graph.nodes[$0].op.definition.name) \($0)" } ?? "layer"
    layers.append(
      Layer(
        name: (name.isEmpty ? fallback : name).printable, operation: operation, inputs: inputs,
        outputs: outputs))
    origins.append(LoweredLayer(node: node))
  }

  // MARK: Forms

  /// The forms of a value, at least one.
  mutating func forms(of id: ValueID) throws(ExportError.Reason) -> [Form] {
    if let forms = forms[id], !forms.isEmpty { return forms }
    guard graph[id].constant != nil else { throw .unknownType(value: graph[id].name) }
    let layout = Array(try dimensions(of: id).indices)
    return [
      Form(
        isBits: false, layout: layout, modelValue: try require(id, bits: false, layout: layout))
    ]
  }

  mutating func addForm(_ form: Form, of id: ValueID) { forms[id, default: []].append(form) }

  /// Whether a value is there as bits.
  func isBits(_ id: ValueID) -> Bool { forms[id]?.contains(where: \.isBits) ?? false }

  /// The index of a model value that holds a graph value in a form.
  mutating func require(
    _ id: ValueID, bits: Bool, layout: [Int]
  ) throws(ExportError.Reason) -> Int {
    if let exact = forms[id]?.first(where: { $0.isBits == bits && $0.layout == layout }) {
      return exact.modelValue
    }
    if !bits, let constant = graph[id].constant {
      let index = try addConstant(constant, holding: id, layout: layout)
      addForm(.init(isBits: false, layout: layout, modelValue: index), of: id)
      return index
    }
    if let other = try forms(of: id).first(where: { $0.isBits == bits }) {
      return try transpose(other, of: id, to: layout)
    }
    if bits { return try pack(id, layout: layout) }
    let packed = try require(id, bits: true, layout: layout)
    let index = addLayer(
      .unpack, name: graph[id].name + " (unpack)", node: nil, inputs: [packed],
      result: PhysicalType(.float32, modelValues[packed].dimensions), holding: id,
      layout: layout)
    addForm(.init(isBits: false, layout: layout, modelValue: index), of: id)
    return index
  }

  /// A layer of a constant in a layout, which may have more axes than the constant.
  mutating func addConstant(
    _ tensor: Tensor, holding id: ValueID, layout: [Int]
  ) throws(ExportError.Reason) -> Int {
    let type = try elementType(of: id)
    let reals = tensor.elementType == .sign ? Tensor(tensor.floats, shape: tensor.shape) : tensor
    let missing = [Int](repeating: 1, count: layout.count - tensor.shape.rank)
    let full = reals.reshaped(to: Shape(missing + tensor.shape.dimensions))
    let moved: Tensor
    do {
      moved = try Transpose(permutation: layout).evaluate([full])[0]
    } catch {
      throw .unsupportedForm("a constant \(tensor.shape)")
    }
    return addLayer(
      .array(.constant(moved)), name: graph[id].name + " (constant)", node: nil, inputs: [],
      result: PhysicalType(type, moved.shape.dimensions.map { .fixed($0) }), holding: id,
      layout: layout)
  }

  /// The index of a new model value that holds the bits of real values that are ±1.
  private mutating func pack(_ id: ValueID, layout: [Int]) throws(ExportError.Reason) -> Int {
    guard signs.contains(id) else { throw .bitsExpected(value: graph[id].name) }
    let reals = try require(id, bits: false, layout: layout)
    let index = addLayer(
      .pointwise(Epilogue(output: .bits(.zeroIsPlus))), name: graph[id].name + " (pack)",
      node: nil, inputs: [reals],
      result: PhysicalType(.sign, modelValues[reals].dimensions), holding: id, layout: layout)
    addForm(.init(isBits: true, layout: layout, modelValue: index), of: id)
    return index
  }

  /// Notes a node's results that are ±1 because the node only moves elements that are.
  private mutating func noteSigns(_ node: Node) {
    let data = node.movedInputs
    guard !data.isEmpty, data.allSatisfy({ signs.contains($0) || isBits($0) }) else { return }
    if case .pad(let pad) = node.op, pad.mode == .constant {
      guard let fill = node.input(2).flatMap({ graph[$0].constant }),
        fill.floats.allSatisfy({ abs($0) == 1 })
      else { return }
    }
    signs.formUnion(node.outputs)
  }

  /// The index of a model value that holds a graph value, not as bits, in any layout.
  mutating func requireReals(_ id: ValueID) throws(ExportError.Reason) -> Form {
    let forms = try forms(of: id)
    if let form = forms.first(where: { !$0.isBits }) { return form }
    let layout = forms[0].layout
    let index = try require(id, bits: false, layout: layout)
    return Form(isBits: false, layout: layout, modelValue: index)
  }

  private mutating func transpose(
    _ form: Form, of id: ValueID, to layout: [Int]
  ) throws(ExportError.Reason) -> Int {
    let logical = try dimensions(of: id)
    let physical = layout.map { logical[$0] }
    guard !physical.dropFirst().contains(where: \.isBatch) else {
      throw .batchMoves(value: graph[id].name)
    }
    let permutation = layout.compactMap { form.layout.firstIndex(of: $0) }
    let operation: BNNFormat.Operation =
      keepsMemory(form.layout, layout, logical)
      ? .reshape : .transpose(permutation: permutation)
    let index = addLayer(
      operation, name: graph[id].name + " (layout)", node: nil, inputs: [form.modelValue],
      result: PhysicalType(modelValues[form.modelValue].elementType, physical), holding: id,
      layout: layout)
    addForm(.init(isBits: form.isBits, layout: layout, modelValue: index), of: id)
    return index
  }

  /// Whether two layouts differ only in where extents of 1 stand.
  func keepsMemory(_ a: [Int], _ b: [Int], _ logical: [Dimension]) -> Bool {
    a.filter { logical[$0] != .fixed(1) } == b.filter { logical[$0] != .fixed(1) }
  }
}

/// The layout of values with channels: they come last where there are spatial axes.
func channelsLast(rank: Int) -> [Int] {
  rank < 3 ? Array(0..<rank) : [0] + Array(2..<rank) + [1]
}
