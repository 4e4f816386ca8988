import BNNTensor

/// One entry of the tensor table with its bytes.
struct StoredTensor: Hashable {
  var kind: Kind
  var coding = Coding.raw
  var place: Place
  var dimensions: [Int]
  var bytes: ArraySlice<UInt8>

  /// What the elements are.
  enum Kind: UInt8 {
    case float32 = 1, sign = 2, int32 = 3, int64 = 4, bool = 5, int8 = 6

    var elementType: ElementType {
      switch self {
      case .float32: .float32
      case .sign: .sign
      case .int32: .int32
      case .int64: .int64
      case .bool: .bool
      case .int8: .int8
      }
    }

    /// The kind of a type that the format has.
    init(_ type: ElementType) {
      switch type {
      case .sign: self = .sign
      case .int32: self = .int32
      case .int64: self = .int64
      case .bool: self = .bool
      case .int8: self = .int8
      default: self = .float32
      }
    }
  }

  /// The section that holds the bytes.
  enum Place: UInt8 {
    case parameters = 0, weights = 1

    var section: FileSection { self == .parameters ? .parameters : .weights }
  }
}

extension StoredTensor {
  /// The bytes of the elements in the raw coding.
  var rawByteCount: Int {
    PackedTensor.byteCount(of: Shape(dimensions).count * kind.elementType.bitWidth)
  }

  /// What the first byte's place in the section is a multiple of. Coded bytes are never used as they
  /// are.
  var alignment: Int {
    guard coding == .raw else { return 1 }
    return place == .parameters ? FileLayout.parameterAlignment : FileLayout.alignment
  }

  /// The elements of a raw tensor as integers of their size.
  func words<Word: FixedWidthInteger>() -> [Word] { .init(littleEndian: bytes) }

  func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(place)
    hasher.combine(dimensions)
    // All bytes at once: an array is hashed element by element.
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}

/// Collects tensors while layers are written. Equal tensors are stored once.
struct TensorPool {
  private(set) var tensors: [StoredTensor] = []
  private var indices: [StoredTensor: Int] = [:]

  mutating func index(of tensor: StoredTensor) -> Int {
    if let index = indices[tensor] { return index }
    tensors.append(tensor)
    indices[tensor] = tensors.count - 1
    return tensors.count - 1
  }

  mutating func weights(_ weights: Weights) -> Int {
    switch weights {
    case .signs(let packed): signs(packed, place: .weights)
    case .float32(let elements, let shape):
      floats(elements, dimensions: shape.dimensions, place: .weights)
    }
  }

  /// Weights of one byte each.
  mutating func bytes(_ elements: [Int8], dimensions: [Int]) -> Int {
    let bytes = elements.map { UInt8(bitPattern: $0) }
    return index(
      of: StoredTensor(kind: .int8, place: .weights, dimensions: dimensions, bytes: bytes[...]))
  }

  mutating func signs(_ packed: PackedTensor, place: StoredTensor.Place) -> Int {
    index(
      of: StoredTensor(
        kind: .sign, place: place, dimensions: packed.shape.dimensions, bytes: packed.bytes[...]))
  }

  mutating func bits(_ bits: [Bool]) -> Int {
    signs(PackedTensor(shape: [bits.count]) { bits[$0] }, place: .parameters)
  }

  mutating func floats(
    _ elements: [Float], dimensions: [Int]? = nil, place: StoredTensor.Place = .parameters
  ) -> Int {
    words(elements.map { $0.bitPattern }, kind: .float32, dimensions: dimensions, place: place)
  }

  mutating func integers(_ elements: [Int32]) -> Int {
    words(
      elements.map { UInt32(bitPattern: $0) }, kind: .int32, dimensions: nil, place: .parameters)
  }

  /// A constant of one of the types of array operations.
  mutating func array(_ tensor: Tensor) -> Int {
    let kind = StoredTensor.Kind(tensor.elementType)
    return index(
      of: StoredTensor(
        kind: kind, place: .weights, dimensions: tensor.shape.dimensions,
        bytes: kind.bytes(of: tensor)[...]))
  }

  private mutating func words(
    _ words: [UInt32], kind: StoredTensor.Kind, dimensions: [Int]?, place: StoredTensor.Place
  ) -> Int {
    let bytes = words.littleEndianBytes
    return index(
      of: StoredTensor(
        kind: kind, place: place, dimensions: dimensions ?? [words.count], bytes: bytes[...]))
  }

  /// The tensor table and the two sections of tensor bytes, each tensor in the smallest of the
  /// codings.
  func encoded(_ codings: [StoredTensor.Coding]) -> EncodedTensors {
    var table = ByteWriter()
    var parameters = ByteWriter()
    var weights = ByteWriter()
    var budget = DecodingBudget()
    var areCoded = false
    table.integer(tensors.count)
    for raw in tensors {
      var tensor = raw.smallest(of: codings)
      if !budget.allows(tensor) { tensor = raw }
      budget.add(tensor)
      areCoded = areCoded || tensor.coding != .raw
      table.byte(tensor.kind.rawValue)
      table.byte(tensor.coding.rawValue)
      table.byte(tensor.place.rawValue)
      table.integers(tensor.dimensions)
      table.integer(tensor.bytes.count)
      switch tensor.place {
      case .parameters: parameters.append(tensor)
      case .weights: weights.append(tensor)
      }
    }
    return EncodedTensors(
      table: table.bytes, parameters: parameters.bytes, weights: weights.bytes, areCoded: areCoded)
  }
}

/// Sections 4 to 6.
struct EncodedTensors {
  var table: [UInt8]
  var parameters: [UInt8]
  var weights: [UInt8]
  /// Whether a tensor has another coding than raw.
  var areCoded: Bool
}

extension StoredTensor.Kind {
  fileprivate func bytes(of tensor: Tensor) -> [UInt8] {
    switch self {
    case .bool: tensor.bools.map { $0 ? 1 : 0 }
    case .int8: tensor.integers.map { UInt8(truncatingIfNeeded: $0) }
    case .int64: tensor.integers.littleEndianBytes
    case .int32:
      tensor.integers.map { Int32(truncatingIfNeeded: $0) }.littleEndianBytes
    case .float32, .sign:
      tensor.floats.map { $0.bitPattern }.littleEndianBytes
    }
  }
}

extension ByteWriter {
  fileprivate mutating func append(_ tensor: StoredTensor) {
    pad(to: tensor.alignment)
    raw(tensor.bytes)
  }
}
