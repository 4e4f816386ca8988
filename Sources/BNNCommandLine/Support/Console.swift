import Foundation

/// Where a command writes: results to standard output, everything else to standard error.
package struct Console: Sendable {
  package enum Verbosity: Int, Sendable { case quiet, normal, verbose }

  package var verbosity: Verbosity
  /// Standard error is a terminal that a progress line can be drawn on.
  private let isInteractive: Bool

  package init(verbosity: Verbosity) {
    self.verbosity = verbosity
    isInteractive = Console.isTerminal(STDERR_FILENO)
  }

  /// A line for the user, unless `--quiet`.
  package func note(_ line: String) {
    guard verbosity != .quiet else { return }
    Console.writeError(clearingProgress + line + "\n")
  }

  /// A line for the user who asked for more.
  package func detail(_ line: String) {
    guard verbosity == .verbose else { return }
    note(line)
  }

  package func warn(_ line: String) {
    note(Console.colored("warning:", code: "33") + " " + line)
  }

  /// A line that the next one replaces; only on a terminal.
  package func progress(_ line: String) {
    guard isInteractive, verbosity == .normal else { return }
    Console.writeError(clearingProgress + String(line.prefix(78)))
  }

  package func endProgress() {
    guard isInteractive, verbosity == .normal else { return }
    Console.writeError(clearingProgress)
  }

  private var clearingProgress: String { isInteractive ? "\r\u{1B}[K" : "" }
}

extension Console {
  package static func report(_ error: CommandError) {
    writeError(colored("error:", code: "1;31") + " " + error.message + "\n")
  }

  /// What the argument parser says, in the form of the other errors.
  static func reportUsage(_ text: String) {
    let prefix = "Error: "
    guard text.hasPrefix(prefix) else { return writeError(text + "\n") }
    report(CommandError(.usage, String(text.dropFirst(prefix.count))))
  }

  /// Writes a result. A reader that went away ends the command quietly, as an I/O error.
  package static func writeResult(_ text: String) throws(CommandError) {
    let failure = write(text, to: STDOUT_FILENO)
    guard failure != 0 else { return }
    guard failure != EPIPE else { throw CommandError(.inputOutput, "") }
    throw CommandError(.inputOutput, "standard output: \(String(cString: strerror(failure)))")
  }

  private static func writeError(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// - Returns: 0, or the error number.
  private static func write(_ text: String, to descriptor: Int32) -> Int32 {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      bytes = bytes.dropFirst(count)
    }
    return 0
  }

  private static func isTerminal(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  private static func colored(_ text: String, code: String) -> String {
    let environment = ProcessInfo.processInfo.environment
    guard isTerminal(STDERR_FILENO), environment["NO_COLOR", default: ""].isEmpty else {
      return text
    }
    return "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }
}
