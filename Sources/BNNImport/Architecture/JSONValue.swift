import Foundation

/// A JSON document.
enum JSONValue: Hashable, Sendable, Decodable {
  case object([String: JSONValue])
  case array([JSONValue])
  case string(String)
  case number(Double)
  case bool(Bool)
  case null

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  static func parse(_ bytes: [UInt8]) throws(ImportFault) -> JSONValue {
    do {
      return try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    } catch {
      guard case DecodingError.dataCorrupted(let context)? = error as? DecodingError else {
        throw ImportFault(.invalidJSON("\(error)"))
      }
      let cause = context.underlyingError.map { ($0 as NSError).userInfo["NSDebugDescription"] }
      throw ImportFault(.invalidJSON("\(cause.flatMap { $0 } ?? context.debugDescription)"))
    }
  }

  /// The integer that a number is, when it is one.
  var integer: Int? { if case .number(let value) = self { Int(exactly: value) } else { nil } }

  /// The value as it is written, on one line.
  var text: String {
    switch self {
    case .object(let members):
      "{"
        + members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.text)" }
        .joined(separator: ", ") + "}"
    case .array(let elements): "[" + elements.map(\.text).joined(separator: ", ") + "]"
    case .string(let text): text
    case .number(let value): integer.map { "\($0)" } ?? "\(value)"
    case .bool(let value): "\(value)"
    case .null: "null"
    }
  }
}
