import BNNKit
import Foundation

/// The table of the recorded test models: for the log, and in `docs/supported.md`.
enum SupportedModels {
  private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../docs/supported.md").standardizedFileURL.path

  /// What stands around the generated table in the document.
  private static let start = "<!-- generated: models -->\n"
  private static let end = "<!-- end -->\n"

  static func table(_ rows: [ModelResult]) -> String {
    let lines = rows.map { row in
      "| \(row.name) | \(row.operators.joined(separator: ", ")) | \(row.binary) | \(row.float) "
        + "| \(row.sourceBytes) | \(row.bytes) | \(row.verdict) |\n"
    }
    let header = "| model | operators | binary | float | source bytes | .bnn bytes | verdict |\n"
    return header + "|---|---|--:|--:|--:|--:|---|\n" + lines.joined()
  }

  /// Compares the document with the run, or writes it where `BNN_UPDATE_DOCS` is set.
  static func check(_ rows: [ModelResult]) throws {
    let document = try String(contentsOfFile: file, encoding: .utf8)
    guard let from = document.range(of: start), let to = document.range(of: end) else {
      throw Stale()
    }
    let inside = from.upperBound..<to.lowerBound
    guard document[inside] != table(rows) else { return }
    guard ProcessInfo.processInfo.environment["BNN_UPDATE_DOCS"] != nil else { throw Stale() }
    let updated = document.replacingCharacters(in: inside, with: table(rows))
    try updated.write(toFile: file, atomically: true, encoding: .utf8)
  }

  struct Stale: Error, CustomStringConvertible {
    var description: String {
      "docs/supported.md is not what this run gives: `make supported` writes it again"
    }
  }
}
