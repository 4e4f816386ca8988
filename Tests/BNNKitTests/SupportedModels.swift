import BNNKit
import Foundation

/// The table of the recorded test models, for the log and for `docs/supported.md`.
enum SupportedModels {
  static func table(_ rows: [ModelResult]) -> String {
    let header = "| model | operators | binary | float | bytes | .bnn | verdict |"
    let lines = rows.map { row in
      "| \(row.name) | \(row.operators.joined(separator: ", ")) | \(row.binary) | \(row.float) "
        + "| \(row.sourceBytes) | \(row.bytes) | \(row.verdict) |"
    }
    return ([header, "|---|---|--:|--:|--:|--:|---|"] + lines).joined(separator: "\n")
  }

  static func check(_ rows: [ModelResult]) throws {}
}
