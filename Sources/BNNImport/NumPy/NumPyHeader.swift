import BNNTensor

/// The head of a `.npy` file: what the array's elements are and how they are laid out.
struct NumPyHeader {
  var elementType: ElementType
  var isBigEndian: Bool
  /// Column-major elements.
  var isFortranOrder: Bool
  var shape: Shape
  /// Where the elements begin.
  var dataOffset: Int

  /// The size of the whole file.
  var totalByteCount: Int { dataOffset + shape.count * (elementType.bitWidth / 8) }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Headers are a hundred bytes or so; NumPy itself refuses to parse more than this.
  private static let maximumHeaderLength = 10_000

  /// A head fits in this many bytes.
  static let maximumByteCount = maximumHeaderLength + 12

  /// - Parameter bytes: at least the head of the file.
  init(_ bytes: [UInt8]) throws(ImportFault) {
    guard bytes.starts(with: NumPyHeader.magic) else { throw ImportFault(.notNumPy) }
    guard bytes.count >= 8 else { throw ImportFault(.truncated(offset: bytes.count)) }
    let (major, minor) = (bytes[6], bytes[7])
    guard (1...3).contains(major), minor == 0 else {
      throw ImportFault(.numPyVersion(major: major, minor: minor))
    }
    let start = major == 1 ? 10 : 12
    guard bytes.count >= start else { throw ImportFault(.truncated(offset: bytes.count)) }
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= NumPyHeader.maximumHeaderLength else {
      throw ImportFault(.invalidNumPyHeader("it is \(length) bytes long"))
    }
    guard bytes.count >= start + length else { throw ImportFault(.truncated(offset: bytes.count)) }
    dataOffset = start + length
    var parser = PythonLiteralParser(bytes[start..<dataOffset])
    let entries = try parser.dictionary()
    (elementType, isBigEndian, isFortranOrder, shape) = try NumPyHeader.interpret(entries)
  }

  private static func interpret(
    _ entries: [String: PythonLiteral]
  ) throws(ImportFault) -> (ElementType, Bool, Bool, Shape) {
    guard Set(entries.keys) == ["descr", "fortran_order", "shape"] else {
      throw ImportFault(.invalidNumPyHeader("its keys are \(entries.keys.sorted())"))
    }
    guard case .bool(let isFortranOrder)? = entries["fortran_order"] else {
      throw ImportFault(.invalidNumPyHeader("fortran_order is not True or False"))
    }
    guard case .tuple(let extents)? = entries["shape"] else {
      throw ImportFault(.invalidNumPyHeader("shape is not a tuple"))
    }
    guard case .string(let descriptor)? = entries["descr"] else {
      throw ImportFault(.unsupportedElementType("record"))
    }
    let (type, isBigEndian) = try elementType(descriptor)
    let shape = Shape(extents)
    guard let count = shape.checkedCount, count <= Int.max / 16 else {
      throw ImportFault(.invalidShape(extents.map { Int64($0) }))
    }
    return (type, isBigEndian, isFortranOrder, shape)
  }

  /// A type such as `<f4`: byte order, kind, bytes per element.
  private static func elementType(
    _ descriptor: String
  ) throws(ImportFault) -> (ElementType, Bool) {
    let types: [String: ElementType] = [
      "f2": .float16, "f4": .float32, "f8": .float64, "b1": .bool, "i1": .int8, "i2": .int16,
      "i4": .int32, "i8": .int64, "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64,
    ]
    guard let order = descriptor.first, let type = types[String(descriptor.dropFirst())],
      order == "<" || order == ">" || (type.bitWidth == 8 && order == "|")
    else {
      // Python objects would have to be unpickled, which can run any code.
      let isObject = descriptor.hasSuffix("O")
      throw ImportFault(.unsupportedElementType(isObject ? "Python object" : descriptor))
    }
    return (type, order == ">")
  }

  /// The array of a whole file.
  static func decodeArray(_ bytes: [UInt8]) throws(ImportFault) -> Tensor {
    let header = try NumPyHeader(bytes)
    let found = bytes.count - header.dataOffset
    let needed = header.totalByteCount - header.dataOffset
    guard found == needed else {
      throw ImportFault(.wrongByteCount(found: found, expected: needed))
    }
    let shape =
      header.isFortranOrder ? Shape(header.shape.dimensions.reversed()) : header.shape
    let tensor = try bytes.withRawBytes { (buffer) throws(ImportFault) -> Tensor in
      let data = UnsafeRawBufferPointer(rebasing: buffer[header.dataOffset...])
      return try ElementBytes(data, count: shape.count, isBigEndian: header.isBigEndian)
        .tensor(type: header.elementType, shape: shape)
    }
    return header.isFortranOrder ? tensor.transposed() : tensor
  }
}

extension Tensor {
  /// The tensor with its axes reversed.
  fileprivate func transposed() -> Tensor {
    guard shape.rank >= 2 else { return self }
    let result = Shape(shape.dimensions.reversed())
    let source = transposedOrder(result)
    switch storage {
    case .float(let elements):
      return Tensor(source.map { elements[$0] }, shape: result, elementType: elementType)
    case .double(let elements): return Tensor(source.map { elements[$0] }, shape: result)
    case .integer(let elements):
      return Tensor(source.map { elements[$0] }, shape: result, elementType: elementType)
    case .bool(let elements): return Tensor(source.map { elements[$0] }, shape: result)
    case .sign: return self
    }
  }

  /// Where each element of the transposed tensor stands in this one.
  private func transposedOrder(_ result: Shape) -> [Int] {
    // Steps in this tensor for a step along each axis of the result.
    let steps = Array(shape.strides.reversed())
    var source = [Int](repeating: 0, count: count)
    var position = [Int](repeating: 0, count: result.rank)
    var offset = 0
    for index in source.indices {
      source[index] = offset
      var axis = result.rank - 1
      while axis >= 0 {
        position[axis] += 1
        offset += steps[axis]
        if position[axis] < result[axis] { break }
        offset -= steps[axis] * result[axis]
        position[axis] = 0
        axis -= 1
      }
    }
    return source
  }
}
