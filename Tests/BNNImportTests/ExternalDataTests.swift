import BNNTensor
import Foundation
import Testing

@testable import BNNImport

@Suite struct ExternalDataTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    _ = try folder.write(littleEndian([Float(9), 1, 2, 3]), as: "weights.bin")
  }

  /// Imports a model with one tensor [3] elsewhere and returns that tensor.
  private func read(_ entries: [(String, String)]) throws -> (tensor: Tensor?, byteCount: Int) {
    let stored = Message().integers(1, [3]).integer(2, 1).string(8, "w").integer(14, 1)
      .messages(13, entries.map { Message().string(1, $0.0).string(2, $0.1) })
    let path = try folder.write(
      Sample.model(
        nodes: [Sample.node("Add", ["x", "w"], ["y"])], inputs: [Sample.input("x", [3])],
        initializers: [stored]
      ).bytes)
    let model = try SourceModel(onnxFile: path)
    let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
    let constant = model.graph.nodes[0].inputs[1].flatMap { model.graph[$0].constant }
    return (constant, model.byteCount - size)
  }

  private func failure(_ entries: [(String, String)]) throws -> ImportError {
    try #require(throws: ImportError.self) { try read(entries) }
  }

  @Test func `A part of a file beside the model`() throws {
    let entries = [("location", "weights.bin"), ("offset", "4"), ("length", "12")]
    let (tensor, byteCount) = try read(entries)
    #expect(tensor == Tensor([Float(1), 2, 3], shape: [3]))
    #expect(byteCount == 12)
  }

  @Test func `A file in a folder below`() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path + "/data", withIntermediateDirectories: false)
    _ = try folder.write(littleEndian([Float(4), 5, 6]), as: "data/w.bin")
    #expect(try read([("location", "data/w.bin")]).tensor == Tensor([Float(4), 5, 6], shape: [3]))
  }

  @Test func `A missing file`() throws {
    let error = try failure([("location", "other.bin")])
    #expect(error.reason == .externalDataMissing(location: "other.bin"))
    #expect(error.category == .missingFile)
    #expect(error.place == .tensor(name: "w"))
  }

  @Test(arguments: ["/etc/passwd", "../weights.bin", "data/../../weights.bin", "..", "a\\..\\b"])
  func `A path that leaves the folder`(location: String) throws {
    let error = try failure([("location", location)])
    #expect(error.reason == .externalDataOutside(location: location))
    #expect(error.category == .malformed)
  }

  @Test func `A link that leaves the folder`() throws {
    let other = try TemporaryFolder()
    let target = try other.write([UInt8](repeating: 0, count: 12), as: "secret.bin")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/link.bin", withDestinationPath: target)
    let error = try failure([("location", "link.bin")])
    #expect(error.reason == .externalDataOutside(location: "link.bin"))
  }

  @Test func `The folder itself`() throws {
    #expect(throws: ImportError.self) { try read([("location", ".")]) }
    #expect(throws: ImportError.self) { try read([("location", "")]) }
    #expect(throws: ImportError.self) { try read([]) }
  }

  @Test(arguments: ["8", "16", "1000", "9223372036854775807"])
  func `Too few bytes`(offset: String) throws {
    let found = max(0, 16 - (Int(offset) ?? 0))
    let error = try failure([("location", "weights.bin"), ("offset", offset)])
    #expect(
      error.reason == .externalDataTooShort(location: "weights.bin", needed: 12, found: found))
  }

  @Test(arguments: [("offset", "-4"), ("offset", "four"), ("length", "99999999999999999999")])
  func `Numbers that are none`(key: String, value: String) throws {
    let error = try failure([("location", "weights.bin"), (key, value)])
    #expect(error.reason == .invalidExternalData(key: key, value: value))
  }

  @Test func `A length that is not the shape's`() throws {
    let error = try failure([("location", "weights.bin"), ("length", "16")])
    #expect(error.reason == .wrongByteCount(found: 16, expected: 12))
  }
}
