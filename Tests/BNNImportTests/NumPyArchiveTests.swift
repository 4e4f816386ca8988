import BNNTensor
import BNNTestSupport
import Foundation
import Testing

@testable import BNNImport

@Suite struct NumPyArchiveTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Fixtures that NumPy and Python's zipfile wrote; `fixtures/scripts/numpy_archives.py`.
  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../fixtures/numpy").standardizedFileURL.path

  private func failure(_ fixture: String) throws -> ImportError {
    try #require(throws: ImportError.self) {
      try NumPy.readArchive(Self.fixtures + "/" + fixture)
    }
  }

  @Test(arguments: ["stored.npz", "deflated.npz"])
  func `Archives that NumPy wrote`(file: String) throws {
    let arrays = try NumPy.readArchive(Self.fixtures + "/" + file)
    #expect(arrays.map(\.name) == ["conv.weight", "bn.num_batches_tracked", "by_columns", "half"])
    #expect(arrays[0].tensor == Tensor((0..<24).map { Float($0) - 11.5 }, shape: [2, 3, 2, 2]))
    #expect(arrays[1].tensor == Tensor([Int64(42)], shape: []))
    #expect(
      arrays[2].tensor
        == Tensor([Int64(0), 1, 2, 3, 4, 5], shape: [2, 3], elementType: .int32))
    #expect(arrays[3].tensor == Tensor([1.5, -2], shape: [2], elementType: .float16))
  }

  @Test func `An entry that claims fewer bytes than it has`() throws {
    let error = try failure("longer_than_header.npz")
    #expect(error.reason == .wrongByteCount(found: 1128, expected: 132))
    #expect(error.place == .entry(name: "x.npy"))
    #expect(error.category == .malformed)
  }

  @Test func `A file that would unpack to a thousand times its size`() throws {
    guard case .tooManyBytes(let count) = try failure("bomb.npz").reason else {
      Issue.record("not refused")
      return
    }
    #expect(count > 300 << 20)
  }

  @Test(arguments: 0..<4)
  func `A name that leads out of the archive`(index: Int) throws {
    let error = try failure("outside\(index).npz")
    #expect(error.reason == .entryOutside)
    #expect(error.category == .malformed)
  }

  @Test func `A header that is code`() throws {
    guard case .invalidNumPyHeader = try failure("code.npz").reason else {
      Issue.record("not refused")
      return
    }
  }

  @Test func `Every type as NumPy writes it`() throws {
    let arrays = try NumPy.readArchive(Self.fixtures + "/types.npz")
    #expect(arrays.count == 12 * 6)
    for (name, tensor) in arrays {
      let values: [Double] =
        tensor.elementType == .bool
        ? tensor.bools.map { $0 ? 1 : 0 } : tensor.doubles
      if name.hasPrefix("empty") {
        #expect(tensor.shape == [0, 4], "\(name)")
      } else if name.hasPrefix("scalar") {
        #expect(tensor.shape == [] && values == [1], "\(name)")
      } else {
        let expected: [Double] = name.contains("b1") ? [0, 1, 1, 1, 1, 1] : [0, 1, 2, 3, 4, 5]
        #expect(tensor.shape == [2, 3] && values == expected, "\(name)")
      }
    }
  }

  @Test func `Sizes in the fields of ZIP64`() throws {
    let arrays = try NumPy.readArchive(Self.fixtures + "/zip64.npz")
    #expect(arrays.map(\.name) == ["a", "b"])
    #expect(arrays.allSatisfy { $0.tensor.floats == [0, 1, 2] })
  }

  /// Several bytes at once, so that sizes and checksums can agree again.
  @Test(arguments: ["stored.npz", "deflated.npz", "zip64.npz"])
  func `Random damage is an error or another archive, never a crash`(file: String) throws {
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: Self.fixtures + "/" + file)))
    let folder = try TemporaryFolder()
    for seed in 0..<1000 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let position = Int.random(in: 0..<damaged.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: damaged[position] = UInt8.random(in: 0...255, using: &generator)
        case 1: damaged[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
        case 2: damaged.remove(at: position)
        default:
          let count = min(16, damaged.count - position)
          damaged.insert(contentsOf: damaged[position..<(position + count)], at: position)
        }
      }
      let path = try folder.write(damaged, as: "damaged.npz")
      do throws(ImportError) {
        _ = try NumPy.readArchive(path)
      } catch {
        #expect(error.category == .malformed || error.category == .unsupported, "seed \(seed)")
      }
    }
  }

  @Test func `An entry that is no array, and one that is there twice`() throws {
    #expect(try failure("text.npz").reason == .notAnArrayEntry)
    #expect(try failure("twice.npz").reason == .duplicateEntry)
    #expect(try failure("object.npz").reason == .unsupportedElementType("Python object"))
  }

  @Test func `Damaged archives`() throws {
    let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: Self.fixtures + "/stored.npz")))
    for count in stride(from: 0, to: bytes.count, by: 7) {
      let path = try folder.write(Array(bytes[..<count]), as: "cut.npz")
      let error = #expect(throws: ImportError.self) { try NumPy.readArchive(path) }
      #expect(error?.category == .malformed)
    }
    // A bit in an array's data: the checksum tells.
    var changed = bytes
    changed[200] ^= 1
    let path = try folder.write(changed, as: "changed.npz")
    #expect(throws: ImportError.self) { try NumPy.readArchive(path) }
  }

  @Test func `Any changed byte is an error or another archive, never a crash`() throws {
    let bytes = try [UInt8](
      Data(contentsOf: URL(fileURLWithPath: Self.fixtures + "/deflated.npz")))
    var refused = 0
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 0x41
      let path = try folder.write(changed, as: "changed.npz")
      do { _ = try NumPy.readArchive(path) } catch { refused += 1 }
    }
    #expect(refused > bytes.count / 2)
  }

  @Test func `A missing archive`() {
    let error = #expect(throws: ImportError.self) { try NumPy.readArchive("/nowhere/x.npz") }
    #expect(error?.reason == .notFound)
  }

  @Test func `What is written is read again, and is the same every time`() throws {
    let arrays = [
      ("a", Tensor([Float(1), 2], shape: [2])), ("b.c", Tensor([true], shape: [])),
      ("empty", Tensor([Int64](), shape: [0])),
    ]
    let path = folder.path + "/written.npz"
    try NumPy.writeArchive(arrays, path)
    let first = try Data(contentsOf: URL(fileURLWithPath: path))
    let read = try NumPy.readArchive(path)
    #expect(read.map(\.name) == arrays.map(\.0))
    #expect(read.map(\.tensor) == arrays.map(\.1))
    try NumPy.writeArchive(arrays, path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
  }

  @Test func `Archives that cannot be written`() {
    let tensor = Tensor(scalar: 1)
    for (arrays, path) in [
      ([("a", tensor)], "/nowhere/x.npz"), ([], folder.path + "/x.npz"),
      ([("a", tensor), ("a", tensor)], folder.path + "/x.npz"),
    ] {
      #expect(throws: ImportError.self) { try NumPy.writeArchive(arrays, path) }
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }
}
