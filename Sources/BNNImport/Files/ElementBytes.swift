import BNNTensor

/// Elements as a file stores them, one after another.
struct ElementBytes {
  let bytes: UnsafeRawBufferPointer
  let count: Int
  let isBigEndian: Bool

  init(_ bytes: UnsafeRawBufferPointer, count: Int, isBigEndian: Bool = false) {
    self.bytes = bytes
    self.count = count
    self.isBigEndian = isBigEndian
  }

  /// The tensor of all elements, which must be as many as the shape has.
  func tensor(type: ElementType, shape: Shape) throws(ImportFault) -> Tensor {
    let expected = count * (type.bitWidth / 8)
    guard bytes.count == expected else {
      throw ImportFault(.wrongByteCount(found: bytes.count, expected: expected))
    }
    switch type {
    case .float32:
      return Tensor(elements(UInt32.self) { Float(bitPattern: $0) }, shape: shape)
    case .float64:
      return Tensor(elements(UInt64.self) { Double(bitPattern: $0) }, shape: shape)
    case .float16:
      return Tensor(
        elements(UInt16.self) { Float(halfBits: $0) }, shape: shape, elementType: type)
    case .bfloat16:
      return Tensor(
        elements(UInt16.self) { Float(bfloatBits: $0) }, shape: shape, elementType: type)
    case .bool: return Tensor(elements(UInt8.self) { $0 != 0 }, shape: shape)
    case .int8: return integers(Int8.self, type, shape)
    case .int16: return integers(Int16.self, type, shape)
    case .int32: return integers(Int32.self, type, shape)
    case .int64: return integers(Int64.self, type, shape)
    case .uint8: return integers(UInt8.self, type, shape)
    case .uint16: return integers(UInt16.self, type, shape)
    case .uint32: return integers(UInt32.self, type, shape)
    case .uint64:
      return Tensor(
        elements(UInt64.self) { Int64(bitPattern: $0) }, shape: shape, elementType: type)
    case .sign: throw ImportFault(.unsupportedElementType("sign"))
    }
  }

  private func integers<Stored: FixedWidthInteger & BitwiseCopyable>(
    _ stored: Stored.Type, _ type: ElementType, _ shape: Shape
  ) -> Tensor {
    Tensor(elements(stored) { Int64($0) }, shape: shape, elementType: type)
  }

  private func elements<Stored: FixedWidthInteger & BitwiseCopyable, Element>(
    _ stored: Stored.Type, _ convert: (Stored) -> Element
  ) -> [Element] {
    let width = MemoryLayout<Stored>.size
    return [Element](unsafeUninitializedCapacity: count) { buffer, filled in
      for index in 0..<count {
        let word = bytes.loadUnaligned(fromByteOffset: index * width, as: Stored.self)
        let element = convert(isBigEndian ? Stored(bigEndian: word) : Stored(littleEndian: word))
        (buffer.baseAddress.map { $0 + index })?.initialize(to: element)
      }
      filled = count
    }
  }
}

extension Float {
  /// The value of an IEEE 754 half-precision number.
  init(halfBits bits: UInt16) {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Float(bits & 0x3FF)
    switch exponent {
    case 0: self = sign * fraction * 0x1p-24
    case 31: self = bits & 0x3FF == 0 ? sign * .infinity : .nan
    default:
      self = sign * Float(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
  }

  /// The value of a bfloat16 number: the upper half of a single-precision number.
  init(bfloatBits bits: UInt16) { self.init(bitPattern: UInt32(bits) << 16) }

  /// The bits of this number rounded to half precision, to nearest with ties to even.
  var halfBits: UInt16 {
    let sign: UInt16 = self.sign == .minus ? 0x8000 : 0
    if isNaN { return sign | 0x7E00 }
    guard magnitude < 65520 else { return sign | 0x7C00 }
    guard magnitude >= 0x1p-14 else {
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let exponent = Int(magnitude.exponent)
    let fraction = (magnitude.significand * 1024).rounded(.toNearestOrEven) - 1024
    // A fraction that rounds up to 1024 carries into the exponent, as it should.
    return sign | UInt16((exponent + 15) << 10 + Int(fraction))
  }
}
