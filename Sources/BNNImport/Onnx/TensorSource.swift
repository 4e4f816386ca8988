import BNNTensor

/// A stored tensor before it is decoded. The pointers belong to the unpacked message.
struct TensorSource {
  var name: String
  var dimensions: [Int64]
  var elementType: Int32
  var content: Content

  enum Content {
    case none
    case stored(StoredElements)
    case floats(UnsafeBufferPointer<Float>)
    case doubles(UnsafeBufferPointer<Double>)
    case int32s(UnsafeBufferPointer<Int32>)
    case int64s(UnsafeBufferPointer<Int64>)
    case uint64s(UnsafeBufferPointer<UInt64>)
    case external([(key: String, value: String)])
  }
}

/// ONNX's numbers for element types.
enum OnnxElementType {
  static func type(_ code: Int32) -> ElementType? {
    switch code {
    case 1: .float32
    case 2: .uint8
    case 3: .int8
    case 4: .uint16
    case 5: .int16
    case 6: .int32
    case 7: .int64
    case 9: .bool
    case 10: .float16
    case 11: .float64
    case 12: .uint32
    case 13: .uint64
    case 16: .bfloat16
    default: nil
    }
  }

  /// The type that ONNX's first versions call by this name.
  static func type(named name: String) -> ElementType? {
    let others: [String: ElementType] = ["FLOAT": .float32, "DOUBLE": .float64]
    return others[name]
      ?? ElementType(rawValue: name.lowercased()).flatMap { $0 == .sign ? nil : $0 }
  }

  /// ONNX's name of a type that the toolkit has no type for.
  static func name(_ code: Int32) -> String {
    let names: [Int32: String] = [
      0: "undefined", 8: "string", 14: "complex64", 15: "complex128", 17: "float8e4m3fn",
      18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4", 22: "int4",
      23: "float4e2m1", 24: "float8e8m0", 25: "uint2", 26: "int2",
    ]
    return names[code] ?? type(code)?.rawValue ?? "type number \(code)"
  }
}

/// Decodes stored tensors of one model.
struct TensorDecoder {
  /// The folder that external data may lie in; nil forbids external data.
  var folder: String?
  /// Bytes of external data that were read.
  private(set) var externalByteCount = 0

  init(folder: String?) { self.folder = folder }

  mutating func decode(_ source: TensorSource) throws(ImportFault) -> Tensor {
    do {
      return try decodeUnnamed(source)
    } catch {
      throw ImportFault(error.reason, at: .tensor(name: source.name))
    }
  }

  private mutating func decodeUnnamed(_ source: TensorSource) throws(ImportFault) -> Tensor {
    guard let type = OnnxElementType.type(source.elementType) else {
      throw ImportFault(.unsupportedElementType(OnnxElementType.name(source.elementType)))
    }
    let shape = Shape(source.dimensions.map { Int($0) })
    guard let count = shape.checkedCount, count <= Int.max / 16 else {
      throw ImportFault(.invalidShape(source.dimensions))
    }
    switch source.content {
    case .stored(let elements): return try elements.tensor(type: type, shape: shape)
    case .external(let entries):
      let needed = count * type.bitWidth / 8
      let elements = try ExternalData(entries, folder: folder).elements(needed: needed)
      externalByteCount += needed
      return try elements.tensor(type: type, shape: shape)
    default:
      return try decodeList(source.content, type: type, shape: shape)
    }
  }

  /// Decodes the elements of the list that belongs to the type; another list counts as none.
  private func decodeList(
    _ content: TensorSource.Content, type: ElementType, shape: Shape
  ) throws(ImportFault) -> Tensor {
    switch (content, type) {
    case (.floats(let list), .float32):
      try requireCount(list.count, shape)
      return Tensor(Array(list), shape: shape)
    case (.doubles(let list), .float64):
      try requireCount(list.count, shape)
      return Tensor(Array(list), shape: shape)
    case (.int32s(let list), .float16), (.int32s(let list), .bfloat16):
      try requireCount(list.count, shape)
      let bits = try list.map { (element) throws(ImportFault) -> UInt16 in
        try UInt16(exactly: element).orFault(.elementOutOfRange("\(element)"))
      }
      let floats = bits.map { type == .float16 ? Float(halfBits: $0) : Float(bfloatBits: $0) }
      return Tensor(floats, shape: shape, elementType: type)
    case (.int32s(let list), .bool):
      try requireCount(list.count, shape)
      return Tensor(list.map { $0 != 0 }, shape: shape)
    case (.int32s(let list), .int8), (.int32s(let list), .uint8), (.int32s(let list), .int16),
      (.int32s(let list), .uint16), (.int32s(let list), .int32):
      return try integers(list.map { Int64($0) }, type: type, shape: shape)
    case (.int64s(let list), .int64):
      return try integers(Array(list), type: type, shape: shape)
    case (.uint64s(let list), .uint32), (.uint64s(let list), .uint64):
      return try integers(list.map { Int64(bitPattern: $0) }, type: type, shape: shape)
    default:
      try requireCount(0, shape)
      return try ElementBytes(UnsafeRawBufferPointer(start: nil, count: 0), count: 0)
        .tensor(type: type, shape: shape)
    }
  }

  private func integers(
    _ elements: [Int64], type: ElementType, shape: Shape
  ) throws(ImportFault) -> Tensor {
    try requireCount(elements.count, shape)
    if type != .uint64, let range = type.integerRange,
      let wrong = elements.first(where: { !range.contains($0) })
    {
      throw ImportFault(.elementOutOfRange("\(wrong)"))
    }
    return Tensor(elements, shape: shape, elementType: type)
  }

  private func requireCount(_ found: Int, _ shape: Shape) throws(ImportFault) {
    guard found == shape.count else {
      throw ImportFault(.wrongElementCount(found: found, expected: shape.count))
    }
  }
}

extension Optional {
  func orFault(
    _ reason: ImportError.Reason, at place: ImportError.Place = .file
  ) throws(ImportFault) -> Wrapped {
    guard let self else { throw ImportFault(reason, at: place) }
    return self
  }
}
