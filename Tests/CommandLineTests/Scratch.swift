import Foundation

/// A folder of its own for a test, removed at the end.
struct Scratch {
  let path: String

  static func with(_ body: (Scratch) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "bnn-commands-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(Scratch(path: path))
  }

  func file(_ name: String) -> String { path + "/" + name }

  func file(_ name: String, holding bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  func file(_ name: String, holding text: String) throws -> String {
    try file(name, holding: Array(text.utf8))
  }

  /// The names of the files in the folder.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

/// Files that the project ships.
enum Fixtures {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func path(_ name: String) -> String {
    root.appendingPathComponent("fixtures/\(name)").path
  }

  static let digits = path("digits/model.onnx")
  static let digitsInputs = path("digits/inputs.npy")
  static let digitsExpected = path("digits/expected.npy")
  static let digitsLabels = path("digits/labels.npy")

  static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
