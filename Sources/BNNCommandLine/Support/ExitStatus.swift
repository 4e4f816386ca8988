/// The exit codes of the commands: their own up to 2, above that those of `sysexits.h`.
package enum ExitStatus: Int32, Sendable {
  case done = 0
  case mismatch = 1
  /// The model has an operator or a structure that cannot be converted.
  case unsupported = 2
  case usage = 64
  case malformedInput = 65
  case noInput = 66
  case cannotCreate = 73
  case inputOutput = 74
}
