import Foundation

/// A JSON document.
enum JSONValue: Equatable, Decodable {
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

  /// The value with every `${name}` in its strings replaced. A string that is nothing but one such
  /// reference becomes the variable's value, whatever its kind.
  func substituting(
    _ variables: [String: JSONValue], at path: String
  ) throws(ImportFault) -> JSONValue {
    switch self {
    case .string(let text): return try JSONValue.substitute(text, variables, path)
    case .array(let elements):
      var result: [JSONValue] = []
      for (index, element) in elements.enumerated() {
        result.append(try element.substituting(variables, at: "\(path)[\(index)]"))
      }
      return .array(result)
    case .object(let members):
      var result: [String: JSONValue] = [:]
      for (key, value) in members {
        result[key] = try value.substituting(variables, at: "\(path).\(key)")
      }
      return .object(result)
    case .number, .bool, .null: return self
    }
  }

  private static func substitute(
    _ text: String, _ variables: [String: JSONValue], _ path: String
  ) throws(ImportFault) -> JSONValue {
    var rest = text[...]
    var result = ""
    while let start = rest.range(of: "${") {
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else { break }
      let name = String(rest[start.upperBound..<end])
      guard let value = variables[name] else {
        throw ImportFault(.invalidReference("${\(name)}"), at: .block(path: path))
      }
      if text == "${\(name)}" { return value }
      result += rest[..<start.lowerBound]
      switch value {
      case .string(let text): result += text
      default:
        guard let integer = value.integer else {
          throw ImportFault(
            .wrongJSONType(expected: "a string or an integer for ${\(name)}"),
            at: .block(path: path))
        }
        result += "\(integer)"
      }
      rest = rest[rest.index(after: end)...]
    }
    return .string(result + rest)
  }
}

/// Reads the members of a JSON object and remembers which, so that no member goes unnoticed.
final class JSONObjectReader {
  let path: String
  private let members: [String: JSONValue]
  private var read: Set<String> = ["comment"]

  init(_ value: JSONValue, path: String) throws(ImportFault) {
    guard case .object(let members) = value else {
      throw ImportFault(.wrongJSONType(expected: "an object"), at: .block(path: path))
    }
    self.members = members
    self.path = path
  }

  func fault(_ reason: ImportError.Reason, key: String? = nil) -> ImportFault {
    ImportFault(reason, at: .block(path: key.map(path(of:)) ?? path))
  }

  func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  func value(_ key: String) -> JSONValue? {
    read.insert(key)
    return members[key]
  }

  func required<Value>(_ key: String, _ value: Value?) throws(ImportFault) -> Value {
    guard let value else { throw fault(.missingKey(key)) }
    return value
  }

  func string(_ key: String) throws(ImportFault) -> String? {
    switch value(key) {
    case nil: nil
    case .string(let text)?: text
    default: throw fault(.wrongJSONType(expected: "a string"), key: key)
    }
  }

  func bool(_ key: String) throws(ImportFault) -> Bool? {
    switch value(key) {
    case nil: nil
    case .bool(let value)?: value
    default: throw fault(.wrongJSONType(expected: "true or false"), key: key)
    }
  }

  func float(_ key: String) throws(ImportFault) -> Float? {
    switch value(key) {
    case nil: nil
    case .number(let value)?: Float(value)
    default: throw fault(.wrongJSONType(expected: "a number"), key: key)
    }
  }

  func integer(_ key: String, in range: ClosedRange<Int>) throws(ImportFault) -> Int? {
    guard let value = value(key) else { return nil }
    guard let integer = value.integer, range.contains(integer) else {
      throw fault(.wrongJSONType(expected: JSONObjectReader.text(range)), key: key)
    }
    return integer
  }

  /// A list of integers, or one integer, which becomes a list of one.
  func integers(_ key: String, in range: ClosedRange<Int>) throws(ImportFault) -> [Int]? {
    guard let value = value(key) else { return nil }
    let expected = fault(.wrongJSONType(expected: JSONObjectReader.text(range)), key: key)
    let elements = if case .array(let elements) = value { elements } else { [value] }
    var result: [Int] = []
    for element in elements {
      guard let integer = element.integer, range.contains(integer) else { throw expected }
      result.append(integer)
    }
    return result
  }

  func strings(_ key: String) throws(ImportFault) -> [String]? {
    guard let elements = try array(key) else { return nil }
    var result: [String] = []
    for element in elements {
      guard case .string(let text) = element else {
        throw fault(.wrongJSONType(expected: "a list of strings"), key: key)
      }
      result.append(text)
    }
    return result
  }

  func array(_ key: String) throws(ImportFault) -> [JSONValue]? {
    switch value(key) {
    case nil: nil
    case .array(let elements)?: elements
    default: throw fault(.wrongJSONType(expected: "a list"), key: key)
    }
  }

  func object(_ key: String) throws(ImportFault) -> [String: JSONValue]? {
    switch value(key) {
    case nil: nil
    case .object(let members)?: members
    default: throw fault(.wrongJSONType(expected: "an object"), key: key)
    }
  }

  /// Every member must have been read.
  func checkKeys() throws(ImportFault) {
    if let key = members.keys.filter({ !read.contains($0) }).min() {
      throw fault(.unknownKey(key))
    }
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    "integers from \(range.lowerBound) to \(range.upperBound)"
  }
}
