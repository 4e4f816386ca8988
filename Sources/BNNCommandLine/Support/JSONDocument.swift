import Foundation

/// The one form in which the commands write JSON.
enum JSONDocument {
  static func text(_ value: some Encodable) throws(CommandError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    } catch {
      throw CommandError(.inputOutput, "the result cannot be written as JSON: \(error)")
    }
  }

  static func print(_ value: some Encodable) throws(CommandError) {
    try Console.writeResult(text(value))
  }
}
