import BNNTensor
import BNNTestSupport
import Foundation
import Testing

@testable import BNNImport

@Suite struct NumPyTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A `.npy` file with any header text.
  static func file(
    _ header: String, _ data: [UInt8], version: UInt8 = 1, minor: UInt8 = 0
  ) -> [UInt8] {
    let length =
      version == 1
      ? littleEndian([UInt16(header.utf8.count)])
      : littleEndian([UInt32(header.utf8.count)])
    return [0x93] + Array("NUMPY".utf8) + [version, minor] + length + Array(header.utf8) + data
  }

  static func header(_ type: String, _ shape: String, fortran: String = "False") -> String {
    "{'descr': '\(type)', 'fortran_order': \(fortran), 'shape': \(shape), }\n"
  }

  private func read(_ bytes: [UInt8]) throws -> Tensor {
    try NumPy.readArray(folder.write(bytes, as: "array.npy"))
  }

  private func failure(_ bytes: [UInt8]) throws -> ImportError {
    try #require(throws: ImportError.self) { try read(bytes) }
  }

  // MARK: Reading

  struct Stored: Sendable {
    var type: String
    var data: [UInt8]
    var tensor: Tensor

    init(_ type: String, _ data: [UInt8], _ tensor: Tensor) {
      self.type = type
      self.data = data
      self.tensor = tensor
    }
  }

  private static func floats(_ a: Float, _ b: Float, _ type: ElementType = .float32) -> Tensor {
    Tensor([a, b], shape: [2], elementType: type)
  }
  private static func integers(_ a: Int64, _ b: Int64, _ type: ElementType = .int64) -> Tensor {
    Tensor([a, b], shape: [2], elementType: type)
  }

  private static let stored = [
    Stored("<f4", littleEndian([Float(1.5), -2]), floats(1.5, -2)),
    Stored(">f4", [0x3F, 0xC0, 0, 0, 0xC0, 0, 0, 0], floats(1.5, -2)),
    Stored(
      "<f8", littleEndian([Double(1.5).bitPattern, 0]), Tensor([Double(1.5), 0], shape: [2])),
    Stored("<f2", [0, 0x3E, 0, 0xC0], floats(1.5, -2, .float16)),
    Stored(">f2", [0x3E, 0, 0xC0, 0], floats(1.5, -2, .float16)),
    Stored("|b1", [0, 1], Tensor([false, true], shape: [2])),
    Stored("|i1", [0xFF, 1], integers(-1, 1, .int8)),
    Stored("|u1", [0xFF, 1], integers(255, 1, .uint8)),
    Stored("<i2", [0, 0x80, 1, 0], integers(-32768, 1, .int16)),
    Stored(">u2", [0x80, 0, 0, 1], integers(32768, 1, .uint16)),
    Stored(">i4", [0xFF, 0xFF, 0xFF, 0xFE, 0, 0, 0, 1], integers(-2, 1, .int32)),
    Stored("<u4", littleEndian([UInt32.max, 1]), integers(4_294_967_295, 1, .uint32)),
    Stored("<i8", littleEndian([Int64.min, 1]), integers(.min, 1)),
    Stored("<u8", littleEndian([UInt64.max, 1]), integers(-1, 1, .uint64)),
  ]

  @Test(arguments: stored)
  func `Every type, in both byte orders`(stored: Stored) throws {
    #expect(try read(Self.file(Self.header(stored.type, "(2,)"), stored.data)) == stored.tensor)
  }

  @Test func `Format versions`() throws {
    let header = Self.header("|u1", "(1,)")
    for version: UInt8 in 1...3 {
      #expect(try read(Self.file(header, [7], version: version)).integers == [7])
    }
    #expect(
      try failure(Self.file(header, [7], version: 4)).reason == .numPyVersion(major: 4, minor: 0))
    #expect(
      try failure(Self.file(header, [7], version: 1, minor: 1)).reason
        == .numPyVersion(major: 1, minor: 1))
  }

  @Test func `Column-major arrays become row-major`() throws {
    // [[1, 2, 3], [4, 5, 6]] by columns.
    let matrix = Self.file(Self.header("|u1", "(2, 3)", fortran: "True"), [1, 4, 2, 5, 3, 6])
    #expect(try read(matrix).integers == [1, 2, 3, 4, 5, 6])
    #expect(try read(matrix).shape == [2, 3])
    let cube = Self.file(
      Self.header("|u1", "(2, 3, 2)", fortran: "True"), [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11])
    #expect(try read(cube).integers == Array(0..<12))
    let empty = Self.file(Self.header("|u1", "(0, 3)", fortran: "True"), [])
    #expect(try read(empty).shape == [0, 3])
  }

  @Test func `Scalars and empty arrays`() throws {
    #expect(try read(Self.file(Self.header("|u1", "()"), [5])).shape == [])
    #expect(try read(Self.file(Self.header("<f4", "(0,)"), [])).count == 0)
    #expect(try read(Self.file(Self.header("<f4", "(3, 0, 2)"), [])).shape == [3, 0, 2])
  }

  @Test func `Spellings of the header that Python allows`() throws {
    for header in [
      "{\"shape\":(1,),\"descr\":\"|u1\",\"fortran_order\":False}",
      " { 'descr' : '|u1' ,\t'fortran_order' : False , 'shape' : ( 1 , ) } \n",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (1L,)}",
    ] {
      #expect(try read(Self.file(header, [7])).integers == [7])
    }
  }

  @Test(arguments: [
    "", "{", "{}", "None", "{'descr': '|u1'}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': 1}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
    "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'more': 'x'}",
    "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} + exit()",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (len('x'),)}",
    "{'descr': '|u1, 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '\\u1', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': [['x', '|u1', 'fortran_order': False, 'shape': (1,)}",
  ])
  func `Headers that are refused`(header: String) throws {
    let error = try failure(Self.file(header, [7]))
    guard case .invalidNumPyHeader = error.reason else { throw error }
    #expect(error.category == .malformed)
  }

  @Test func `Extents that overflow`() throws {
    let error = try failure(Self.file(Self.header("<f8", "(4294967296, 4294967296)"), []))
    #expect(error.reason == .invalidShape([4_294_967_296, 4_294_967_296]))
    let large = try failure(Self.file(Self.header("<f8", "(100000000000,)"), [0]))
    #expect(large.reason == .wrongByteCount(found: 1, expected: 800_000_000_000))
  }

  @Test(arguments: [
    ("|O", "Python object"), ("<U5", "<U5"), ("<c8", "<c8"), ("<M8[ns]", "<M8[ns]"),
    ("|f4", "|f4"), ("f4", "f4"), ("", ""), ("|V2", "|V2"),
  ])
  func `Types that are refused by name`(type: String, name: String) throws {
    let error = try failure(Self.file(Self.header(type, "(1,)"), [0, 0, 0, 0, 0]))
    #expect(error.reason == .unsupportedElementType(name))
    #expect(error.category == .unsupported)
  }

  @Test func `Records are refused`() throws {
    let header = "{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,)}"
    #expect(
      try failure(Self.file(header, [])).reason == .unsupportedElementType("record"))
  }

  @Test func `Files cut anywhere and files that are too long`() throws {
    let bytes = NumPyEncoder.encode(Tensor([Float(1), 2, 3], shape: [3]))
    for count in 0..<bytes.count {
      let error = try failure(Array(bytes[..<count]))
      #expect(error.category == .malformed)
    }
    #expect(try failure(bytes + [0]).reason == .wrongByteCount(found: 13, expected: 12))
    #expect(try failure([]).reason == .empty)
    #expect(try failure(Array("PK plain text".utf8)).reason == .notNumPy)
  }

  @Test func `Random damage is an error or another array, never a crash`() throws {
    let whole = Self.file(Self.header("<f4", "(2, 3)"), [UInt8](0..<24))
    for seed in 0..<3000 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[position] = Array("9(,)'{}:LTF<>".utf8).randomElement(using: &generator) ?? 0
        default: bytes.remove(at: position)
        }
      }
      let path = try folder.write(bytes, as: "damaged.npy")
      do throws(ImportError) {
        _ = try NumPy.readArray(path)
      } catch {
        #expect(error.category == .malformed || error.category == .unsupported, "seed \(seed)")
      }
    }
  }

  @Test func `A missing file`() throws {
    let error = #expect(throws: ImportError.self) { try NumPy.readArray("/nowhere/x.npy") }
    #expect(error?.category == .missingFile)
  }

  // MARK: Writing

  @Test func `What is written is read again`() throws {
    var generator = SeededGenerator(seed: 3)
    let path = folder.path + "/written.npy"
    for type in ElementType.allCases where ![.sign, .bfloat16].contains(type) {
      for shape in [[], [0], [1], [7], [2, 3], [2, 1, 3, 2]] as [Shape] {
        let floats = Tensor.random(shape, in: -100...100, using: &generator).floats
        let tensor =
          switch type {
          case .float32: Tensor(floats, shape: shape)
          case .float16:
            Tensor(
              floats.map { Float(halfBits: $0.halfBits) }, shape: shape, elementType: .float16)
          case .float64: Tensor(floats.map { Double($0) / 3 }, shape: shape)
          case .bool: Tensor(floats.map { $0 > 0 }, shape: shape)
          default:
            Tensor(
              floats.map { type.integerRange?.lowerBound == 0 ? Int64(abs($0)) : Int64($0) },
              shape: shape, elementType: type)
          }
        try NumPy.writeArray(tensor, path)
        #expect(try NumPy.readArray(path) == tensor)
      }
    }
  }

  @Test func `The bytes are those that NumPy writes`() {
    let bytes = NumPyEncoder.encode(Tensor([Int64(1), 2, 3, 4, 5, 6], shape: [2, 3]))
    let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }"
    let padding = String(repeating: " ", count: 128 - 10 - header.utf8.count - 1)
    #expect(
      bytes == [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
        + Array((header + padding + "\n").utf8) + littleEndian([Int64(1), 2, 3, 4, 5, 6]))
  }

  @Test func `Bits and bfloat16 are widened`() throws {
    let path = folder.path + "/written.npy"
    try NumPy.writeArray(Tensor(PackedTensor(shape: [3]) { $0 != 1 }), path)
    #expect(
      try NumPy.readArray(path) == Tensor([Int64(1), -1, 1], shape: [3], elementType: .int8))
    try NumPy.writeArray(Tensor([1.5], shape: [1], elementType: .bfloat16), path)
    #expect(try NumPy.readArray(path) == Tensor([Float(1.5)], shape: [1]))
  }

  @Test func `A place that cannot be written`() {
    let error = #expect(throws: ImportError.self) {
      try NumPy.writeArray(Tensor(scalar: 1), "/nowhere/x.npy")
    }
    #expect(error?.category == .cannotCreate)
  }
}
