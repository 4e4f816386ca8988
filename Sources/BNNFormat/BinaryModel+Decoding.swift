import BNNTensor

extension BinaryModel {
  /// Reads the bytes of a `.bnn` file and checks every rule of the format.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    self = try DecodedFile(decoding: bytes).model
  }
}

/// A model with the places of its parts in the file.
struct DecodedFile {
  let container: Container
  private(set) var model: BinaryModel
  /// Where each value's and each layer's record starts, and where the last layer's ends.
  private var valueOffsets: [Int] = []
  private(set) var layerOffsets: [Int] = []
  /// How many tensors were in use after each layer.
  private(set) var tensorCounts: [Int] = []
  /// The tensor that is each layer's weights or constant.
  private(set) var weightTensors: [Int?] = []
  private(set) var store = TensorStore()

  init(decoding bytes: [UInt8]) throws(FormatError) {
    container = try Container(decoding: bytes)
    let provenance = try Provenance(container)
    model = BinaryModel(provenance: provenance, values: [], inputs: [], outputs: [], layers: [])
    try readValues()
    try readLayers()
    do {
      try ModelChecker(model).check()
    } catch {
      throw .broken(located(error))
    }
    var needed = model.features
    if store.tensors.contains(where: { $0.coding != .raw }) { needed.insert(.codedTensors) }
    guard container.features == needed else {
      throw .broken(
        .init(
          .features(declared: container.features.rawValue, needed: needed.rawValue),
          section: .header, offset: 16))
    }
  }

  private mutating func readValues() throws(FormatError) {
    var reader = container.reader(.values)
    for _ in 0..<(try reader.count(ofAtLeast: 3)) {
      valueOffsets.append(reader.offset)
      let name = try reader.string()
      let type = try reader.code(.elementType) { ElementType(valueCode: $0) }
      let dimensions = try reader.integers().map(Dimension.init(code:))
      model.values.append(ModelValue(name: name, elementType: type, dimensions: dimensions))
    }
    model.inputs = try reader.integers()
    model.outputs = try reader.integers()
    try reader.finish()
  }

  private mutating func readLayers() throws(FormatError) {
    var records = RecordReader(bytes: container.reader(.layers), store: try TensorStore(container))
    for _ in 0..<(try records.bytes.count(ofAtLeast: 4)) {
      layerOffsets.append(records.bytes.offset)
      let name = try records.bytes.string()
      let inputs = try records.bytes.integers()
      let outputs = try records.bytes.integers()
      records.store.weightTensor = nil
      let operation = try records.operation()
      model.layers.append(
        Layer(name: name, operation: operation, inputs: inputs, outputs: outputs))
      tensorCounts.append(records.store.used)
      weightTensors.append(records.store.weightTensor)
    }
    layerOffsets.append(records.bytes.offset)
    try records.bytes.finish()
    try records.store.finish()
    store = records.store
  }

  /// A violation of a model's rules with its place in the file.
  private func located(_ violation: FormatError.Violation) -> FormatError.Violation {
    var violation = violation
    violation.offset =
      switch violation.item {
      case .value(let index, _): valueOffsets[index]
      case .layer(let index, _): layerOffsets[index]
      case .tensor, nil: violation.section.flatMap { container.content(of: $0).startIndex }
      }
    return violation
  }
}

extension Provenance {
  fileprivate init(_ container: Container) throws(FormatError) {
    var reader = container.reader(.metadata)
    self.init(
      producer: try reader.string(), sourceName: try reader.string(),
      sourceBytes: UInt64(try reader.integer()), passes: [], options: [])
    for _ in 0..<(try reader.count()) { passes.append(try reader.string()) }
    for _ in 0..<(try reader.count(ofAtLeast: 2)) {
      options.append(Option(key: try reader.string(), value: try reader.string()))
    }
    try reader.finish()
  }
}

extension ElementType {
  init?(valueCode: UInt8) {
    // Only weights are bytes.
    guard let kind = StoredTensor.Kind(rawValue: valueCode), kind != .int8 else { return nil }
    self = kind.elementType
  }
}

extension Dimension {
  fileprivate init(code: Int) {
    self = code & 1 == 1 ? .batch(code >> 1) : .fixed(code >> 1)
  }
}
