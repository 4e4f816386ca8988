/// Ends a command: what the user is told, and the exit code.
package struct CommandError: Error, Hashable, Sendable {
  package var status: ExitStatus
  package var message: String

  package init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }

  /// An error about a file: the message starts with its path.
  package init(_ status: ExitStatus, file: String, _ message: String) {
    self.init(status, "\(file): \(message)")
  }
}
