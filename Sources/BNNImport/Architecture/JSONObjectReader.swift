/// Reads the members of a JSON object and remembers which, so that no member goes unnoticed.
///
/// Strings in which `${…}` stands are evaluated when their member is read, so that a member that
/// is not read need not make sense.
final class JSONObjectReader {
  let place: JSONPlace
  private let members: [String: JSONValue]
  private let environment: ExpressionEnvironment?
  private var read: Set<String> = ["comment"]

  /// - Parameter environment: what expressions see; nil where there are none.
  init(
    _ value: JSONValue, at place: JSONPlace, environment: ExpressionEnvironment? = nil
  ) throws(ImportFault) {
    guard case .object(let members) = value else {
      throw place.fault(.wrongJSONType(expected: "an object"))
    }
    self.members = members
    self.place = place
    self.environment = environment
  }

  func place(of key: String) -> JSONPlace {
    members[key] == nil ? place : place.member(key)
  }

  func fault(_ reason: ImportError.Reason, key: String? = nil) -> ImportFault {
    (key.map(place(of:)) ?? place).fault(reason)
  }

  /// The member as it is written.
  func source(_ key: String) -> JSONValue? {
    read.insert(key)
    return members[key]
  }

  func value(_ key: String) throws(ImportFault) -> JSONValue? {
    guard let value = source(key), let environment else { return source(key) }
    return try value.evaluated(in: environment, at: place.member(key))
  }

  func required<Value>(_ key: String, _ value: Value?) throws(ImportFault) -> Value {
    guard let value else { throw fault(.missingKey(key)) }
    return value
  }

  func string(_ key: String) throws(ImportFault) -> String? {
    switch try value(key) {
    case nil: nil
    case .string(let text)?: text
    default: throw fault(.wrongJSONType(expected: "a string"), key: key)
    }
  }

  func bool(_ key: String) throws(ImportFault) -> Bool? {
    switch try value(key) {
    case nil: nil
    case .bool(let value)?: value
    default: throw fault(.wrongJSONType(expected: "true or false"), key: key)
    }
  }

  func float(_ key: String) throws(ImportFault) -> Float? {
    switch try value(key) {
    case nil: nil
    case .number(let value)?: Float(value)
    default: throw fault(.wrongJSONType(expected: "a number"), key: key)
    }
  }

  /// A list of numbers, or one number, which becomes a list of one.
  func floats(_ key: String) throws(ImportFault) -> [Float]? {
    guard let value = try value(key) else { return nil }
    let elements = if case .array(let elements) = value { elements } else { [value] }
    var result: [Float] = []
    for element in elements {
      guard case .number(let number) = element else {
        throw fault(.wrongJSONType(expected: "numbers"), key: key)
      }
      result.append(Float(number))
    }
    return result
  }

  func integer(_ key: String, in range: ClosedRange<Int>) throws(ImportFault) -> Int? {
    guard let value = try value(key) else { return nil }
    guard let integer = value.integer, range.contains(integer) else {
      throw fault(.wrongJSONType(expected: JSONObjectReader.text(range)), key: key)
    }
    return integer
  }

  /// A list of integers, or one integer, which becomes a list of one.
  func integers(_ key: String, in range: ClosedRange<Int>) throws(ImportFault) -> [Int]? {
    guard let value = try value(key) else { return nil }
    let expected = fault(.wrongJSONType(expected: JSONObjectReader.text(range)), key: key)
    let elements = if case .array(let elements) = value { elements } else { [value] }
    var result: [Int] = []
    for element in elements {
      guard let integer = element.integer, range.contains(integer) else { throw expected }
      result.append(integer)
    }
    return result
  }

  /// A list of strings, or one string, which becomes a list of one.
  func strings(_ key: String) throws(ImportFault) -> [String]? {
    guard let value = try value(key) else { return nil }
    let elements = if case .array(let elements) = value { elements } else { [value] }
    var result: [String] = []
    for element in elements {
      guard case .string(let text) = element else {
        throw fault(.wrongJSONType(expected: "strings"), key: key)
      }
      result.append(text)
    }
    return result
  }

  func array(_ key: String) throws(ImportFault) -> [JSONValue]? {
    switch source(key) {
    case nil: nil
    case .array(let elements)?: elements
    default: throw fault(.wrongJSONType(expected: "a list"), key: key)
    }
  }

  func object(_ key: String) throws(ImportFault) -> [String: JSONValue]? {
    switch source(key) {
    case nil: nil
    case .object(let members)?: members
    default: throw fault(.wrongJSONType(expected: "an object"), key: key)
    }
  }

  /// Every member must have been read.
  func checkKeys() throws(ImportFault) {
    if let key = members.keys.filter({ !read.contains($0) }).min() {
      throw fault(.unknownKey(key), key: key)
    }
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    "integers from \(range.lowerBound) to \(range.upperBound)"
  }
}

/// A place in a document: how it is called in messages, and where it is written.
struct JSONPlace: Sendable {
  let document: JSONText
  /// Such as `graph[3].unit[0].stride`: through the blocks that are used.
  var path: String
  /// Such as `blocks`, `unit`, `graph`, 0, `stride`.
  var source: [JSONText.PathElement]

  init(_ document: JSONText) {
    self.document = document
    (path, source) = ("", [])
  }

  func member(_ key: String) -> JSONPlace {
    var place = self
    place.path = path.isEmpty ? key : "\(path).\(key)"
    place.source.append(.key(key))
    return place
  }

  func element(_ index: Int) -> JSONPlace {
    var place = self
    place.path += "[\(index)]"
    place.source.append(.index(index))
    return place
  }

  /// The list of steps of a block that is used here.
  func use(of block: String) -> JSONPlace {
    var place = self
    place.path += ".\(block)"
    place.source = [.key("blocks"), .key(block), .key("graph")]
    return place
  }

  func fault(_ reason: ImportError.Reason) -> ImportFault {
    ImportFault(reason, at: .block(path: path, line: document.line(of: source)))
  }
}
