import BNNFormat
import BNNTensor

/// The values of a model for one batch size: checked shapes, and their places in the arena.
struct PlanLayout {
  /// What is run.
  let model: BinaryModel
  /// One per value of the model.
  private(set) var buffers: [Buffer] = []
  private(set) var arenaBytes = 0
  private(set) var pooled: PooledLayers
  private(set) var signs: SignsOfPieces
  /// An input of real values that only a transposition reads, once: it need not be copied before.
  let external: Int?

  init(_ model: BinaryModel, batch: Int) throws(RuntimeError) {
    for value in model.values { buffers.append(try PlanLayout.buffer(value, batch: batch)) }
    try PlanLayout.checkOrder(of: model)
    for layer in model.layers {
      do {
        try PlanLayout.check(layer, buffers)
      } catch {
        throw .invalidLayer(name: layer.name, error)
      }
    }
    let model = model.withFunctionsOfPieces()
    self.model = model
    external = PlanLayout.externalInput(of: model)
    if let external { buffers[external].isExternal = true }
    pooled = PooledLayers(model, buffers)
    let joined = JoinedValues(model, buffers).places
    signs = SignsOfPieces(model, joined, buffers)
    markPlanes(of: model)
    try place(model, joined)
  }

  private static func externalInput(of model: BinaryModel) -> Int? {
    model.inputs.first { value in
      let readers = model.layers.filter { $0.inputs.contains(value) }
      guard readers.count == 1, case .transpose = readers[0].operation else { return false }
      return model.values[value].elementType == .float32 && !model.outputs.contains(value)
    }
  }

  /// Images that a transposition only brings into another order for a convolution that reads both
  /// orders stay what they are.
  private mutating func markPlanes(of model: BinaryModel) {
    var readers = [[Int]](repeating: [], count: buffers.count)
    for (index, layer) in model.layers.enumerated() {
      for value in layer.inputs { readers[value].append(index) }
    }
    for layer in model.layers {
      guard case .transpose([0, 2, 3, 1]) = layer.operation, let value = layer.outputs.first,
        buffers[value].type == .float32, !model.outputs.contains(value),
        readers[value].count == 1, let reader = readers[value].first,
        case .convolution(let geometry, let weights, _) = model.layers[reader].operation,
        model.layers[reader].inputs.first == value,
        let shape = try? WinogradConvolutionStep.shape(geometry, weights, input: buffers[value]),
        shape.readsPlanes
      else { continue }
      buffers[value].isPlanar = true
      buffers[value].isExternal = buffers[layer.inputs[0]].isExternal
    }
  }

  private static func buffer(_ value: ModelValue, batch: Int) throws(RuntimeError) -> Buffer {
    guard value.elementType == .sign || value.elementType.isArrayType else {
      throw .invalidValue(name: value.name, .unsupportedType(value.elementType))
    }
    guard let shape = value.checkedShape(batch: batch),
      let buffer = Buffer(type: value.elementType, shape: shape)
    else { throw .invalidValue(name: value.name, .badDimensions(value.dimensions)) }
    return buffer
  }

  /// Every value is made once, before it is used.
  private static func checkOrder(of model: BinaryModel) throws(RuntimeError) {
    var isMade = [Bool](repeating: false, count: model.values.count)
    func make(_ indices: [Int], _ layer: String) throws(RuntimeError) {
      for index in indices {
        guard model.values.indices.contains(index) else {
          throw .invalidLayer(name: layer, .badValueIndex(index))
        }
        guard !isMade[index] else {
          throw .invalidValue(name: model.values[index].name, .madeTwice)
        }
        isMade[index] = true
      }
    }
    func use(_ indices: [Int], _ layer: String) throws(RuntimeError) {
      for index in indices {
        guard model.values.indices.contains(index) else {
          throw .invalidLayer(name: layer, .badValueIndex(index))
        }
        guard isMade[index] else {
          throw .invalidValue(name: model.values[index].name, .neverMade)
        }
      }
    }
    try make(model.inputs, "input")
    for layer in model.layers {
      try use(layer.inputs, layer.name)
      try make(layer.outputs, layer.name)
    }
    try use(model.outputs, "output")
  }

  /// The layer's values have the types and shapes that follow from its operation.
  private static func check(
    _ layer: Layer, _ buffers: [Buffer]
  ) throws(RuntimeError.LayerFault) {
    guard let declared = layer.outputs.first.map({ buffers[$0].shape }) else {
      throw .outputCount(expected: 1, found: 0)
    }
    let inputs = layer.inputs.map { buffers[$0] }
    if layer.operation.isArrayOperation {
      return try check(layer, inputs.map(\.physicalType), declared, buffers)
    }
    let contract = try LayerContract(layer, inputs: inputs, declared: declared)
    let types =
      contract.ownInputTypes + Array(repeating: .float32, count: contract.operandCount)
    guard types.count == inputs.count else {
      throw .inputCount(expected: types.count, found: inputs.count)
    }
    for (index, (expected, found)) in zip(types, inputs).enumerated()
    where expected != found.type {
      throw .inputType(index: index, expected: expected, found: found.type)
    }
    guard contract.outputTypes.count == layer.outputs.count else {
      throw .outputCount(expected: contract.outputTypes.count, found: layer.outputs.count)
    }
    for (index, expected) in contract.outputTypes.enumerated() {
      let output = buffers[layer.outputs[index]]
      guard output.type == expected else {
        throw .outputType(index: index, expected: expected, found: output.type)
      }
      guard output.shape == contract.shape else {
        throw .outputShape(expected: contract.shape, declared: output.shape)
      }
    }
  }

  /// Operations on arrays have one set of rules, that of the file.
  private static func check(
    _ layer: Layer, _ operands: [PhysicalType], _ declared: Shape, _ buffers: [Buffer]
  ) throws(RuntimeError.LayerFault) {
    let expected: [PhysicalType]
    do {
      expected = try layer.operation.resultTypes(
        of: operands, declared: declared.dimensions.map { .fixed($0) })
    } catch {
      throw .rule(error)
    }
    guard expected.count == layer.outputs.count else {
      throw .outputCount(expected: expected.count, found: layer.outputs.count)
    }
    for (index, type) in expected.enumerated() {
      let output = buffers[layer.outputs[index]]
      guard output.type == type.elementType else {
        throw .outputType(index: index, expected: type.elementType, found: output.type)
      }
      let shape = type.dimensions.shape(batch: 1)
      guard output.shape == shape else {
        throw .outputShape(expected: shape, declared: output.shape)
      }
    }
  }

  /// Gives every value that something makes a place for the time between its making and its last
  /// use. A reshape or a transposition that moves nothing shares its input's place; a result takes the place of an
  /// operand that it is combined with, number by number, when nothing reads that any more; what is
  /// concatenated is made where it is wanted, and what is pooled line by line has no place. Signs that
  /// the layers before make piece by piece begin with the first piece.
  private mutating func place(
    _ model: BinaryModel, _ joined: [Int: JoinedValues.Place]
  ) throws(RuntimeError) {
    var regions: [MemoryPlan.Region] = []
    var regionOfValue = [Int?](repeating: nil, count: buffers.count)
    func begin(_ value: Int, at step: Int) {
      let whole = joined[value]?.whole ?? value
      if regionOfValue[whole] == nil {
        regionOfValue[whole] = regions.count
        regions.append(.init(byteCount: buffers[whole].byteCount, first: step, last: step))
      }
      regionOfValue[value] = regionOfValue[whole]
    }
    func extend(_ values: [Int], to step: Int) {
      for value in values {
        guard let region = regionOfValue[value] else { continue }
        regions[region].last = max(regions[region].last, step)
      }
    }
    func beginSigns(madeBy layer: Int, at step: Int) {
      for piece in signs.pieces[layer] ?? [] {
        let outputs = model.layers[piece.layer].outputs
        for value in outputs { begin(value, at: step) }
        extend(outputs, to: step)
      }
    }
    let lastUses = lastUses(in: model)
    for value in model.inputs { begin(value, at: -1) }
    // Constants are filled once, so they keep their places.
    for layer in model.layers {
      guard case .array(.constant) = layer.operation else { continue }
      for value in layer.outputs { begin(value, at: -1) }
      extend(layer.outputs, to: model.layers.count)
    }
    for (step, layer) in model.layers.enumerated() {
      extend(layer.inputs, to: step)
      if case .array(.constant) = layer.operation { continue }
      if pooled.isPool(step) { continue }
      if pooled.producers.contains(step) {
        buffers[layer.outputs[0]].isInBand = true
        for value in model.layers[step + 1].outputs { begin(value, at: step) }
        beginSigns(madeBy: step + 1, at: step)
      } else if movesNothing(layer) {
        regionOfValue[layer.outputs[0]] = regionOfValue[layer.inputs[0]]
      } else {
        var rest = layer.outputs[...]
        if joined[layer.outputs[0]] == nil, let operand = replacedOperand(of: layer),
          let region = regionOfValue[operand],
          buffers.indices.allSatisfy({ regionOfValue[$0] != region || lastUses[$0] <= step })
        {
          regionOfValue[layer.outputs[0]] = region
          rest.removeFirst()
        }
        for value in rest { begin(value, at: step) }
        beginSigns(madeBy: step, at: step)
      }
    }
    extend(model.outputs, to: model.layers.count)
    let plan: MemoryPlan
    do {
      plan = try MemoryPlan(regions)
    } catch {
      throw .tooLarge(bytes: nil, limit: Int.max)
    }
    for value in buffers.indices {
      guard let region = regionOfValue[value] else { continue }
      buffers[value].offset = plan.offsets[region]
      if let place = joined[value] {
        buffers[value].offset += place.channel * 4
        buffers[value].rowStep = buffers[place.whole].channels
      }
    }
    arenaBytes = plan.byteCount
  }

  /// The last step that reads each value, or what shares its place; after the last step for outputs
  /// and for constants, which the next run reads again.
  private func lastUses(in model: BinaryModel) -> [Int] {
    var lastUses = [Int](repeating: -1, count: buffers.count)
    for value in model.outputs { lastUses[value] = model.layers.count }
    for (step, layer) in model.layers.enumerated().reversed() {
      for value in layer.inputs { lastUses[value] = max(lastUses[value], step) }
      if case .array(.constant) = layer.operation {
        for value in layer.outputs { lastUses[value] = model.layers.count }
      }
      if movesNothing(layer) {
        let input = layer.inputs[0]
        lastUses[input] = max(lastUses[input], lastUses[layer.outputs[0]])
      }
    }
    return lastUses
  }

  /// The operand whose place the values of a binary convolution may take: its integers are
  /// elsewhere, and each number of the operand is read just before that of the result is written.
  private func replacedOperand(of layer: Layer) -> Int? {
    guard case .binaryConvolution(_, _, let epilogue) = layer.operation else { return nil }
    switch epilogue.output {
    case .values, .valuesAndBits: break
    case .bits, .accumulatorBits: return nil
    }
    // Other functions are applied to stored numbers.
    for case .function(let function) in epilogue.steps where function != .relu { return nil }
    for step in epilogue.steps {
      guard case .add(let index) = step else { continue }
      let operand = layer.inputs[1 + index]
      if buffers[operand].shape == buffers[layer.outputs[0]].shape,
        layer.inputs.count(where: { $0 == operand }) == 1
      {
        return operand
      }
    }
    return nil
  }

  /// Whether the layer's result is its input, where that lies.
  private func movesNothing(_ layer: Layer) -> Bool {
    switch layer.operation {
    case .transpose: return buffers[layer.outputs[0]].isPlanar
    case .reshape:
      let input = buffers[layer.inputs[0]]
      let output = buffers[layer.outputs[0]]
      return input.type != .sign || input.channels == output.channels
        || (input.channels % 64 == 0 && output.channels % 64 == 0)
    default: return false
    }
  }
}

extension Buffer {
  fileprivate var physicalType: PhysicalType {
    PhysicalType(type, shape.dimensions.map { .fixed($0) })
  }
}

extension Operation {
  fileprivate var isArrayOperation: Bool { if case .array = self { true } else { false } }
}
