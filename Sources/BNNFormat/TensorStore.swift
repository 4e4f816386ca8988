import BNNTensor

/// The tensors of a file while it is read. Elements are decoded at the first use and shared by the
/// later ones, so that many references to one tensor take no more memory than one.
struct TensorStore {
  let tensors: [StoredTensor]
  /// Positions in the file of the table's entries, and of the table's end.
  private let offsets: [Int]
  private var elements: [Int: Elements] = [:]
  private var arrays: [Int: Tensor] = [:]
  /// References come in the order of first use: this many tensors were used so far.
  private(set) var used = 0
  /// The tensor that was last named as weights or as a constant.
  var weightTensor: Int?
  /// Lists that were first used as bounds of signs, or their sides.
  private var thresholds: Set<Int> = []

  private enum Elements {
    case floats([Float])
    case integers([Int32])
    case signs(PackedTensor)
    case bits([Bool])
    case bytes([Int8])
  }

  /// No tensors.
  init() {
    tensors = []
    offsets = [0]
  }

  init(_ container: Container) throws(FormatError) {
    let limit = DecodingBudget.limit(fileBytes: container.bytes.count)
    var budget = DecodingBudget()
    var reader = container.reader(.tensors)
    var spaces: [StoredTensor.Place: TensorSpace] = [:]
    for place in [StoredTensor.Place.parameters, .weights] {
      spaces[place] = TensorSpace(container.content(of: place.section), place: place)
    }
    let count = try reader.count(ofAtLeast: 5)
    var tensors: [StoredTensor] = []
    var offsets: [Int] = []
    for _ in 0..<count {
      offsets.append(reader.offset)
      let entry = try TensorStore.readEntry(&reader, index: tensors.count, spaces: &spaces)
      budget.add(entry)
      guard budget.decodedBytes <= limit else {
        throw .broken(
          .init(
            .decodedBytes(limit: limit), section: .tensors, offset: offsets.last,
            item: .tensor(index: tensors.count)))
      }
      tensors.append(entry)
    }
    offsets.append(reader.offset)
    try reader.finish()
    for space in spaces.values.sorted(by: { $0.place.rawValue < $1.place.rawValue }) {
      try space.finish()
    }
    self.tensors = tensors
    self.offsets = offsets
  }

  private static func readEntry(
    _ reader: inout ByteReader, index: Int, spaces: inout [StoredTensor.Place: TensorSpace]
  ) throws(FormatError) -> StoredTensor {
    let start = reader.offset
    let kind = try reader.code(.elementType, StoredTensor.Kind.init(rawValue:))
    let coding = try reader.code(.coding, StoredTensor.Coding.init(rawValue:))
    let place = try reader.code(.place, StoredTensor.Place.init(rawValue:))
    let dimensions = try reader.integers()
    let byteCount = try reader.integer()
    var entry = StoredTensor(
      kind: kind, coding: coding, place: place, dimensions: dimensions, bytes: [])
    let failure = { (rule: FormatError.Rule) -> FormatError in
      .broken(.init(rule, section: .tensors, offset: start, item: .tensor(index: index)))
    }
    guard dimensions.count <= FileLayout.maximumRank else {
      throw failure(.tensorRank(dimensions.count))
    }
    // An extent of 0 does not hide others.
    guard let bound = Shape(dimensions.map { max($0, 1) }).checkedCount, bound < 1 << 40 else {
      throw failure(.tensorDimensions(dimensions))
    }
    let rawCount = entry.rawByteCount
    guard coding == .raw || coding.codes(kind, dimensions) else {
      throw failure(.tensorCoding(coding.rawValue, kind.elementType))
    }
    guard coding != .raw || byteCount == rawCount else {
      throw failure(.tensorBytes(expected: rawCount, found: byteCount))
    }
    guard coding == .raw || byteCount < rawCount else {
      throw failure(.codedBytes(raw: rawCount, found: byteCount))
    }
    guard let bytes = try spaces[place]?.take(byteCount, alignment: entry.alignment) else {
      throw failure(.tensorOutOfSection)
    }
    entry.bytes = bytes
    if coding == .raw, let rule = entry.brokenElementRule { throw failure(rule) }
    return entry
  }

  /// A tensor in the raw coding.
  func raw(_ index: Int) throws(FormatError) -> StoredTensor {
    let tensor = tensors[index]
    guard tensor.coding != .raw else { return tensor }
    let failure = { (rule: FormatError.Rule) -> FormatError in
      .broken(
        .init(
          rule, section: tensor.place.section, offset: tensor.bytes.startIndex,
          item: .tensor(index: index)))
    }
    let raw: StoredTensor
    do {
      raw = try tensor.decoded()
    } catch {
      throw failure(.codedTensor(error))
    }
    if let rule = raw.brokenElementRule { throw failure(rule) }
    return raw
  }

  /// Every tensor was used.
  func finish() throws(FormatError) {
    guard used == tensors.count else {
      throw .broken(
        .init(
          .unusedTensor, section: .tensors, offset: offsets[used], item: .tensor(index: used)))
    }
  }
}

// MARK: What tensors are for

extension TensorStore {
  /// The bytes of a tensor's entry in the table.
  func entryByteCount(_ index: Int) -> Int { offsets[index + 1] - offsets[index] }

  /// The lists that were used first since `count` were, are thresholds.
  mutating func markThresholds(from count: Int) { thresholds.formUnion(count..<used) }

  /// What a tensor is for, by its first use.
  func part(_ index: Int) -> FileSummary.Part {
    let tensor = tensors[index]
    switch (tensor.place, tensor.kind) {
    case (.parameters, _) where thresholds.contains(index): return .thresholds
    case (.parameters, .float32): return .vectors
    case (.parameters, .sign): return .flags
    case (.parameters, _): return .integers
    case (.weights, _) where arrays[index] != nil: return .constants
    case (.weights, .sign): return .binaryWeights
    case (.weights, .int8): return .int8Weights
    case (.weights, _): return .realWeights
    }
  }
}

// MARK: Uses

extension TensorStore {
  mutating func weights(_ reader: inout ByteReader) throws(FormatError) -> Weights {
    let start = reader.offset
    let index = try reference(&reader)
    weightTensor = index
    let tensor = tensors[index]
    guard tensor.place == .weights, tensor.dimensions.count >= 2,
      tensor.kind == .float32 || tensor.kind == .sign
    else {
      throw reader.failure(
        .tensorKind(expected: .float32, found: tensor.kind.elementType), at: start)
    }
    switch try decoded(index, reader, at: start) {
    case .floats(let floats): return .float32(floats, shape: Shape(tensor.dimensions))
    case .signs(let packed): return .signs(packed)
    case .integers, .bits, .bytes:
      throw reader.failure(.tensorReference(found: index, expectedAtMost: 0))
    }
  }

  /// Weights of one byte each.
  mutating func bytes(
    _ reader: inout ByteReader
  ) throws(FormatError) -> (elements: [Int8], shape: Shape) {
    let start = reader.offset
    let index = try reference(&reader)
    weightTensor = index
    let tensor = tensors[index]
    guard tensor.place == .weights, tensor.dimensions.count >= 2,
      case .bytes(let bytes) = try decoded(index, reader, at: start)
    else {
      throw reader.failure(
        .tensorKind(expected: .int8, found: tensor.kind.elementType), at: start)
    }
    return (bytes, Shape(tensor.dimensions))
  }

  /// A constant of one of the types of array operations.
  mutating func array(_ reader: inout ByteReader) throws(FormatError) -> Tensor {
    let start = reader.offset
    let index = try reference(&reader)
    weightTensor = index
    if let known = arrays[index] { return known }
    let tensor = tensors[index]
    guard tensor.place == .weights, tensor.kind != .sign, tensor.kind != .int8 else {
      throw reader.failure(
        .tensorKind(expected: .float32, found: tensor.kind.elementType), at: start)
    }
    let array = try raw(index).array
    arrays[index] = array
    return array
  }

  mutating func floats(_ reader: inout ByteReader) throws(FormatError) -> [Float] {
    let start = reader.offset
    let index = try listReference(&reader, kind: .float32)
    if case .floats(let floats) = try decoded(index, reader, at: start) { return floats }
    throw reader.failure(.tensorKind(expected: .float32, found: .int32), at: start)
  }

  mutating func integers(_ reader: inout ByteReader) throws(FormatError) -> [Int32] {
    let start = reader.offset
    let index = try listReference(&reader, kind: .int32)
    if case .integers(let integers) = try decoded(index, reader, at: start) { return integers }
    throw reader.failure(.tensorKind(expected: .int32, found: .float32), at: start)
  }

  mutating func bits(_ reader: inout ByteReader) throws(FormatError) -> [Bool] {
    let start = reader.offset
    let index = try listReference(&reader, kind: .sign)
    if case .bits(let bits) = try decoded(index, reader, at: start) { return bits }
    throw reader.failure(.tensorKind(expected: .sign, found: .int32), at: start)
  }

  /// A reference to a list of parameters: one dimension, in the section of parameters.
  private mutating func listReference(
    _ reader: inout ByteReader, kind: StoredTensor.Kind
  ) throws(FormatError) -> Int {
    let start = reader.offset
    let index = try reference(&reader)
    let tensor = tensors[index]
    guard tensor.place == .parameters, tensor.dimensions.count == 1, tensor.kind == kind else {
      throw reader.failure(
        .tensorKind(expected: kind.elementType, found: tensor.kind.elementType), at: start)
    }
    guard tensor.dimensions[0] > 1 else { throw reader.failure(.listOfOne, at: start) }
    return index
  }

  private mutating func reference(_ reader: inout ByteReader) throws(FormatError) -> Int {
    let start = reader.offset
    let index = try reader.integer()
    let limit = min(used, tensors.count - 1)
    guard index <= limit else {
      throw reader.failure(.tensorReference(found: index, expectedAtMost: limit), at: start)
    }
    used = max(used, index + 1)
    return index
  }

  private mutating func decoded(
    _ index: Int, _ reader: ByteReader, at start: Int
  ) throws(FormatError) -> Elements {
    if let known = elements[index] { return known }
    let decoded = decode(try raw(index))
    guard let decoded else { throw reader.failure(.bitsAfterEnd, at: start) }
    elements[index] = decoded
    return decoded
  }

  private func decode(_ tensor: StoredTensor) -> Elements? {
    switch tensor.kind {
    case .float32: return .floats(.init(littleEndian: tensor.bytes))
    case .int32: return .integers(tensor.words())
    case .int8: return .bytes(tensor.bytes.map { Int8(bitPattern: $0) })
    // No list has these types.
    case .int64, .bool: return nil
    case .sign:
      let packed = PackedTensor(shape: Shape(tensor.dimensions), bytes: Array(tensor.bytes))
      guard let packed else { return nil }
      guard tensor.place == .parameters else { return .signs(packed) }
      return .bits((0..<packed.count).map { packed[$0] })
    }
  }
}

extension StoredTensor {
  /// The elements as a tensor of one of the types of array operations.
  fileprivate var array: Tensor {
    let shape = Shape(dimensions)
    switch kind {
    case .bool: return Tensor(bytes.map { $0 != 0 }, shape: shape)
    case .int64: return Tensor(words() as [Int64], shape: shape)
    case .int32:
      let integers = (words() as [Int32]).map { Int64($0) }
      return Tensor(integers, shape: shape, elementType: .int32)
    case .float32, .sign, .int8:
      return Tensor([Float](littleEndian: bytes), shape: shape)
    }
  }

  /// The rule about elements that a raw tensor breaks.
  fileprivate var brokenElementRule: FormatError.Rule? {
    let count = Shape(dimensions).count
    if kind == .sign, count % 8 != 0, let last = bytes.last, last >> UInt8(count % 8) != 0 {
      return .bitsAfterEnd
    }
    return kind == .bool && bytes.contains { $0 > 1 } ? .boolElement : nil
  }
}
