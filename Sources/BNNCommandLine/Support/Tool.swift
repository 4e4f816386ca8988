import ArgumentParser
import Foundation

/// Parses the arguments, runs a command and exits with its code.
package func runTool<Command: ParsableCommand>(_ type: Command.Type) -> Never {
  // A reader of the output that goes away is an error of a write, not the end of the process.
  signal(SIGPIPE, SIG_IGN)
  do {
    var command = try Command.parseAsRoot()
    try command.run()
    exit(ExitStatus.done.rawValue)
  } catch let error as CommandError {
    if !error.message.isEmpty { Console.report(error) }
    exit(error.status.rawValue)
  } catch {
    let code = Command.exitCode(for: error)
    guard code != .success else { Command.exit(withError: error) }
    let text = Command.fullMessage(for: error)
    if !text.isEmpty { Console.reportUsage(text) }
    exit(code.rawValue)
  }
}
