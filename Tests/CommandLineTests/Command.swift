import Foundation
import Testing

/// A run of one of the built commands.
struct Command {
  var status: Int32
  var output: String
  var errors: String

  /// How the process ended: by itself, or by a signal (a crash).
  var exited: Bool

  /// Runs a command to its end.
  static func run(
    _ name: String, _ arguments: [String], environment: [String: String] = [:],
    closingOutput: Bool = false
  ) throws -> Command {
    let process = Process()
    process.executableURL = productsFolder.appendingPathComponent(name)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    if closingOutput { try output.fileHandleForReading.close() }
    try process.run()
    // Both pipes are emptied while the command runs, so that it never waits for a reader.
    let collected = Collected()
    let reader = Thread {
      collected.set(errors.fileHandleForReading.readDataToEndOfFile())
    }
    reader.start()
    let text = closingOutput ? Data() : output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Command(
      status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: collected.wait(), as: UTF8.self),
      exited: process.terminationReason == .exit)
  }

  /// What another thread has read.
  private final class Collected: Sendable {
    private nonisolated(unsafe) var data = Data()
    private let done = DispatchSemaphore(value: 0)

    func set(_ data: Data) {
      self.data = data
      done.signal()
    }
    func wait() -> Data {
      done.wait()
      return data
    }
  }

  /// Where the commands were built: beside the tests.
  private static var productsFolder: URL {
    #if os(macOS)
      for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
        return bundle.bundleURL.deletingLastPathComponent()
      }
    #endif
    return URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
      .deletingLastPathComponent()
  }
}

extension Command {
  /// The standard output as a JSON object.
  func json(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
    return try #require(value as? [String: Any], sourceLocation: sourceLocation)
  }

  /// Expects an error: its code, one line that has all the words, and nothing on standard output.
  func expectError(
    _ status: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(exited, "killed by signal \(self.status)", sourceLocation: sourceLocation)
    #expect(self.status == status, "\(errors)", sourceLocation: sourceLocation)
    #expect(output.isEmpty, sourceLocation: sourceLocation)
    #expect(errors.hasPrefix("error: "), "\(errors)", sourceLocation: sourceLocation)
    for word in words {
      #expect(
        errors.contains(word), "'\(word)' is not in: \(errors)", sourceLocation: sourceLocation)
    }
  }

  func expectSuccess(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(exited && status == 0, "\(status): \(errors)", sourceLocation: sourceLocation)
  }
}
