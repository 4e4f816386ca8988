import BNNTensor
import Foundation
import Testing

@testable import BNNImport

@Suite struct TensorDecodingTests {
  /// Reads a tensor as a file of its own.
  private func read(_ message: Message) throws -> Tensor {
    let folder = try TemporaryFolder()
    return try TensorProto.read(folder.write(message.bytes, as: "tensor.pb"))
  }

  private func failure(_ message: Message) throws -> ImportError {
    try #require(throws: ImportError.self) { try read(message) }
  }

  /// Two elements of a type as they are stored, and the tensor that they are.
  struct Stored: Sendable {
    var type: Int64
    var raw: [UInt8] = []
    /// In a list of 32-bit integers.
    var list: [Int64] = []
    var tensor: Tensor

    init(_ type: Int64, _ raw: [UInt8] = [], list: [Int64] = [], _ tensor: Tensor) {
      self.type = type
      self.raw = raw
      self.list = list
      self.tensor = tensor
    }
  }

  private static func floats(_ a: Float, _ b: Float, _ type: ElementType = .float32) -> Tensor {
    Tensor([a, b], shape: [2], elementType: type)
  }
  private static func doubles(_ a: Double, _ b: Double) -> Tensor { Tensor([a, b], shape: [2]) }
  private static func integers(_ a: Int64, _ b: Int64, _ type: ElementType = .int64) -> Tensor {
    Tensor([a, b], shape: [2], elementType: type)
  }
  private static func bits(_ values: Double...) -> [UInt8] {
    littleEndian(values.map(\.bitPattern))
  }

  private static let raw = [
    Stored(1, littleEndian([Float(1.5), -2]), floats(1.5, -2)),
    Stored(11, bits(1.5, -2), doubles(1.5, -2)),
    Stored(10, [0x00, 0x3E, 0x00, 0xC0], floats(1.5, -2, .float16)),
    Stored(16, [0xC0, 0x3F, 0x00, 0xC0], floats(1.5, -2, .bfloat16)),
    Stored(3, [0x7F, 0x80], integers(127, -128, .int8)),
    Stored(2, [0x7F, 0x80], integers(127, 128, .uint8)),
    Stored(5, [0xFF, 0x7F, 0x00, 0x80], integers(32767, -32768, .int16)),
    Stored(4, [0xFF, 0x7F, 0x00, 0x80], integers(32767, 32768, .uint16)),
    Stored(6, littleEndian([Int32.min, 5]), integers(-2_147_483_648, 5, .int32)),
    Stored(12, littleEndian([UInt32.max, 5]), integers(4_294_967_295, 5, .uint32)),
    Stored(7, littleEndian([Int64.min, 5]), integers(.min, 5)),
    Stored(13, littleEndian([UInt64.max, 5]), integers(-1, 5, .uint64)),
    Stored(9, [0, 1], Tensor([false, true], shape: [2])),
  ]

  private static let listed = [
    Stored(3, list: [127, -128], integers(127, -128, .int8)),
    Stored(2, list: [0, 255], integers(0, 255, .uint8)),
    Stored(5, list: [32767, -32768], integers(32767, -32768, .int16)),
    Stored(4, list: [65535, 1], integers(65535, 1, .uint16)),
    Stored(6, list: [-7, 9], integers(-7, 9, .int32)),
    Stored(9, list: [0, 1], Tensor([false, true], shape: [2])),
    Stored(10, list: [0x3E00, 0xC000], floats(1.5, -2, .float16)),
    Stored(16, list: [0x3FC0, 0xC000], floats(1.5, -2, .bfloat16)),
  ]

  @Test(arguments: raw)
  func `Raw elements of every type`(stored: Stored) throws {
    let (type, raw) = (stored.type, stored.raw)
    #expect(try read(Sample.tensor("t", [2], type: type, raw: raw)) == stored.tensor)
    for wrong in [Array(raw.dropLast()), raw + [0], []] {
      let error = try failure(Sample.tensor("t", [2], type: type, raw: wrong))
      #expect(error.reason == .wrongByteCount(found: wrong.count, expected: raw.count))
      #expect(error.place == .tensor(name: "t"))
    }
  }

  @Test(arguments: listed)
  func `Elements in the list of 32-bit integers`(stored: Stored) throws {
    let head = Message().integers(1, [2]).integer(2, stored.type).string(8, "t")
    #expect(try read(head.packed(5, stored.list)) == stored.tensor)
    #expect(try read(head.integers(5, stored.list)) == stored.tensor, "unpacked")
    let short = try failure(head.packed(5, [stored.list[0]]))
    #expect(short.reason == .wrongElementCount(found: 1, expected: 2))
  }

  @Test func `Elements in the other lists`() throws {
    let head = { (type: Int64) in Message().integers(1, [2]).integer(2, type) }
    let float = try read(head(1).data(4, littleEndian([Float(1), 2])))
    #expect(float == Self.floats(1, 2))
    #expect(try read(head(7).packed(7, [-1, .max])) == Self.integers(-1, .max))
    #expect(try read(head(11).data(10, Self.bits(1, 2))) == Self.doubles(1, 2))
    let unsigned = try read(head(12).packed(11, [1, 4_294_967_295]))
    #expect(unsigned == Self.integers(1, 4_294_967_295, .uint32))
  }

  @Test func `Elements out of their type's range`() throws {
    let head = { (type: Int64) in Message().integers(1, [1]).integer(2, type) }
    #expect(try failure(head(3).packed(5, [128])).reason == .elementOutOfRange("128"))
    #expect(try failure(head(2).packed(5, [-1])).reason == .elementOutOfRange("-1"))
    #expect(try failure(head(10).packed(5, [65536])).reason == .elementOutOfRange("65536"))
    #expect(
      try failure(head(12).packed(11, [4_294_967_296])).reason == .elementOutOfRange("4294967296"))
  }

  @Test func `Elements in the list of another type count as none`() throws {
    let tensor = Message().integers(1, [2]).integer(2, 1).packed(7, [1, 2])
    #expect(try failure(tensor).reason == .wrongElementCount(found: 0, expected: 2))
  }

  @Test func `Scalars and tensors without elements`() throws {
    #expect(try read(Sample.floats("t", [], [3])) == Tensor(scalar: 3))
    #expect(try read(Sample.floats("t", [0, 3], [])) == Tensor([Float](), shape: [0, 3]))
    #expect(
      try read(Message().integers(1, [0]).integer(2, 7)) == Tensor([Int64](), shape: [0]))
  }

  @Test(arguments: [[Int64(-1)], [1 << 40, 1 << 40], [.max], [.max, 2], [.min]])
  func `Impossible shapes`(dimensions: [Int64]) throws {
    let error = try failure(Sample.tensor("t", dimensions, raw: [0, 0, 0, 0]))
    #expect(error.reason == .invalidShape(dimensions))
  }

  @Test(arguments: [
    (Int64(8), "string"), (14, "complex64"), (17, "float8e4m3fn"), (22, "int4"),
    (0, "undefined"), (99, "type number 99"),
  ])
  func `Types without a counterpart are refused by name`(type: Int64, name: String) throws {
    let error = try failure(Sample.tensor("t", [1], type: type, raw: [0]))
    #expect(error.reason == .unsupportedElementType(name))
    #expect(error.category == .unsupported)
  }

  @Test func `A tensor in segments is refused`() throws {
    let tensor = Sample.floats("t", [1], [1]).message(3, Message().integer(1, 0).integer(2, 1))
    #expect(try failure(tensor).category == .unsupported)
  }

  @Test func `Half precision both ways, for every number`() {
    for bits in UInt16.min...UInt16.max {
      let value = Float(halfBits: bits)
      if value.isNaN {
        #expect(Float(halfBits: value.halfBits).isNaN)
      } else {
        #expect(value.halfBits == bits)
      }
    }
    #expect(Float(65519.9).halfBits == 0x7BFF && Float(65520).halfBits == 0x7C00)
    #expect(Float(1.00048828125).halfBits == 0x3C00, "a tie goes to the even neighbour")
    #expect(Float(1.00146484375).halfBits == 0x3C02)
    #expect(Float(0x1p-25).halfBits == 0 && Float(0x1.8p-25).halfBits == 1)
  }

  // MARK: Sparse tensors

  private func constant(_ sparse: Message) throws -> Tensor? {
    let attribute = Message().string(1, "sparse_value").message(22, sparse).integer(20, 11)
    let model = try importModel(
      Sample.model(nodes: [Sample.node("Constant", [], ["y"], attributes: [attribute])], inputs: [])
    )
    return model.graph[model.graph.outputs[0]].constant
  }

  @Test func `Sparse constants`() throws {
    let values = Sample.floats("v", [2], [5, 7])
    let linear = Sample.tensor("i", [2], type: 7, raw: littleEndian([Int64(1), 4]))
    let rows = Sample.tensor("i", [2, 2], type: 7, raw: littleEndian([Int64(0), 1, 1, 1]))
    let expected = Tensor([Float(0), 5, 0, 0, 7, 0], shape: [2, 3])
    for indices in [linear, rows] {
      let sparse = Message().message(1, values).message(2, indices).integers(3, [2, 3])
      #expect(try constant(sparse) == expected)
    }
  }

  @Test func `Wrong sparse constants`() throws {
    let values = Sample.floats("v", [1], [5])
    let reason = { (indices: [Int64], dimensions: [Int64]) throws -> ImportError.Reason in
      let stored = Sample.tensor(
        "i", [Int64(indices.count)], type: 7, raw: littleEndian(indices))
      let sparse = Message().message(1, values).message(2, stored).integers(3, dimensions)
      return try #require(throws: ImportError.self) { try constant(sparse) }.reason
    }
    #expect(try reason([6], [2, 3]) == .invalidSparseIndex(6))
    #expect(try reason([-1], [2, 3]) == .invalidSparseIndex(-1))
    #expect(try reason([0, 1], [2, 3]) == .wrongElementCount(found: 2, expected: 1))
    #expect(try reason([0], [1 << 40]) == .tooLarge(elements: 1 << 40))
    #expect(try reason([0], [-2]) == .invalidShape([-2]))
  }
}
