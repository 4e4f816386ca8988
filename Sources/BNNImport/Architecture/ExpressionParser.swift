/// Reads an expression from text, by recursive descent.
struct ExpressionParser {
  /// What has not been read yet.
  private(set) var rest: ArraySlice<UInt8>
  private var depth = 0

  private static let maximumDepth = 64
  /// Operators by how tightly they bind, loosest first; longer ones before those they begin with.
  private static let levels: [[Expression.BinaryOperator]] = [
    [.or], [.and], [.equal, .notEqual, .lessOrEqual, .greaterOrEqual, .less, .greater],
    [.add, .subtract], [.multiply, .divide, .remainder],
  ]

  init(_ text: ArraySlice<UInt8>) {
    rest = text
  }

  mutating func expression() throws(ExpressionFailure) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw .syntax("it is nested too deeply") }
    let first = try operation(level: 0)
    guard take("?") else { return first }
    let second = try expression()
    try expect(":")
    return .conditional(first, second, try expression())
  }

  mutating func expect(_ text: String) throws(ExpressionFailure) {
    guard take(text) else { throw .syntax("'\(text)' is missing") }
  }

  private mutating func operation(level: Int) throws(ExpressionFailure) -> Expression {
    guard level < Self.levels.count else { return try unary() }
    var result = try operation(level: level + 1)
    while let found = Self.levels[level].first(where: { take($0.rawValue) }) {
      result = .binary(found, result, try operation(level: level + 1))
    }
    return result
  }

  private mutating func unary() throws(ExpressionFailure) -> Expression {
    var operators: [Expression.UnaryOperator] = []
    while true {
      if take("-") {
        operators.append(.negate)
      } else if take("!") {
        operators.append(.not)
      } else {
        break
      }
    }
    guard operators.count <= Self.maximumDepth else { throw .syntax("it is nested too deeply") }
    let value = try postfix()
    return operators.reversed().reduce(value) { .unary($1, $0) }
  }

  private mutating func postfix() throws(ExpressionFailure) -> Expression {
    var result = try primary()
    var count = 0
    while take("[") {
      count += 1
      guard count <= Self.maximumDepth else { throw .syntax("it is nested too deeply") }
      result = .element(result, try expression())
      try expect("]")
    }
    return result
  }

  private mutating func primary() throws(ExpressionFailure) -> Expression {
    if take("(") {
      let inner = try expression()
      try expect(")")
      return inner
    }
    if take("[") { return .list(try list(until: "]")) }
    if take("'") { return .literal(.string(try string())) }
    guard let byte = rest.first else { throw .syntax("it ends too early") }
    if isDigit(byte) { return .literal(.number(try number())) }
    guard isLetter(byte) else {
      throw .syntax("unexpected '\(Character(Unicode.Scalar(byte)))'")
    }
    let name = word()
    switch name {
    case "true": return .literal(.bool(true))
    case "false": return .literal(.bool(false))
    case "null": return .literal(.null)
    default: return take("(") ? .call(name, try list(until: ")")) : .variable(name)
    }
  }

  private mutating func list(until end: String) throws(ExpressionFailure) -> [Expression] {
    if take(end) { return [] }
    var elements = [try expression()]
    while take(",") { elements.append(try expression()) }
    try expect(end)
    return elements
  }

  // MARK: Characters

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
  }

  /// Takes a punctuation mark with the space before it.
  private mutating func take(_ text: String) -> Bool {
    rest = rest.drop { $0 == 0x20 }
    guard rest.starts(with: text.utf8) else { return false }
    rest = rest.dropFirst(text.utf8.count)
    rest = rest.drop { $0 == 0x20 && text != "'" }
    return true
  }

  private mutating func word() -> String {
    let word = rest.prefix { isLetter($0) || isDigit($0) }
    rest = rest.dropFirst(word.count)
    return String(decoding: word, as: UTF8.self)
  }

  /// Up to the closing quote, which is taken.
  private mutating func string() throws(ExpressionFailure) -> String {
    guard let end = rest.firstIndex(of: UInt8(ascii: "'")) else {
      throw .syntax("a string does not end")
    }
    defer { rest = rest[(end + 1)...] }
    return String(decoding: rest[..<end], as: UTF8.self)
  }

  private mutating func number() throws(ExpressionFailure) -> Double {
    let digits = rest.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
    rest = rest.dropFirst(digits.count)
    guard let value = Double(String(decoding: digits, as: UTF8.self)) else {
      throw .syntax("'\(String(decoding: digits, as: UTF8.self))' is not a number")
    }
    return value
  }
}
