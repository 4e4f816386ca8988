import Foundation
import Testing

@testable import BNNFormat

@Suite struct FileAccessTests {
  /// A folder of its own for a test, removed afterwards.
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "bnn-format-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test func writesAndReadsBack() throws {
    try inFolder { folder in
      let path = folder + "/m.bnn"
      try SampleModels.chain.write(toFile: path)
      #expect(try BinaryModel(contentsOfFile: path) == SampleModels.chain)
      #expect(try FileSummary(contentsOfFile: path).layers.count == 3)
      #expect(try names(in: folder) == ["m.bnn"])
    }
  }

  @Test func doesNotOverwriteUnlessAsked() throws {
    try inFolder { folder in
      let path = folder + "/m.bnn"
      try SampleModels.chain.write(toFile: path)
      #expect(throws: FormatError.outputExists(path: path)) {
        try SampleModels.all[0].write(toFile: path)
      }
      #expect(try BinaryModel(contentsOfFile: path) == SampleModels.chain)
      try SampleModels.all[0].write(toFile: path, overwriting: true)
      #expect(try BinaryModel(contentsOfFile: path) == SampleModels.all[0])
      #expect(try names(in: folder) == ["m.bnn"])
    }
  }

  @Test func refusesFoldersAndMissingFolders() throws {
    try inFolder { folder in
      let missing = folder + "/none/m.bnn"
      #expect(
        throws: FormatError.cannotWrite(path: missing, reason: "No such file or directory")
      ) { try SampleModels.chain.write(toFile: missing) }
      #expect(throws: FormatError.cannotWrite(path: folder, reason: "not a regular file")) {
        try SampleModels.chain.write(toFile: folder, overwriting: true)
      }
      #expect(throws: FormatError.cannotRead(path: folder, reason: "not a regular file")) {
        try BinaryModel(contentsOfFile: folder)
      }
      #expect(
        throws: FormatError.cannotRead(path: missing, reason: "No such file or directory")
      ) { try BinaryModel(contentsOfFile: missing) }
    }
  }

  @Test func refusesPipesWithoutWaiting() throws {
    try inFolder { folder in
      let path = folder + "/pipe"
      try #require(mkfifo(path, 0o600) == 0)
      #expect(throws: FormatError.cannotRead(path: path, reason: "not a regular file")) {
        try BinaryModel(contentsOfFile: path)
      }
    }
  }

  @Test func writesNothingForAModelThatBreaksARule() throws {
    try inFolder { folder in
      var model = SampleModels.chain
      model.outputs = []
      #expect(throws: FormatError.self) { try model.write(toFile: folder + "/m.bnn") }
      let left = try names(in: folder)
      #expect(left.isEmpty)
    }
  }
}
