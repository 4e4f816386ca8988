import Foundation

/// Writes a text beside its final path and moves it there, so that no half of it is ever seen.
enum TextFile {
  static func write(_ text: String, to path: String) throws(CommandError) {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw CommandError(
        .cannotCreate, file: path, "cannot be written: \(error.localizedDescription)")
    }
  }
}
