/// The kinds of Python literals that a `.npy` header may hold.
enum PythonLiteral: Equatable {
  case string(String)
  case bool(Bool)
  case tuple([Int])
  /// A type description of several fields.
  case list
}

/// Parses the dictionary of a `.npy` header: string keys; strings, bools and tuples of
/// non-negative integers as values; nothing else, and nothing is evaluated.
struct PythonLiteralParser {
  private let bytes: ArraySlice<UInt8>
  private var index: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    index = bytes.startIndex
  }

  /// The whole text as one dictionary.
  mutating func dictionary() throws(ImportFault) -> [String: PythonLiteral] {
    try expect("{")
    var entries: [String: PythonLiteral] = [:]
    while !take("}") {
      let key = try string()
      try expect(":")
      let value = try literal()
      guard entries.updateValue(value, forKey: key) == nil else {
        throw fault("'\(key)' is there twice")
      }
      guard take(",") else {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard index == bytes.endIndex else { throw fault("something follows the dictionary") }
    return entries
  }

  private mutating func literal() throws(ImportFault) -> PythonLiteral {
    skipSpace()
    switch peek {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "("): return .tuple(try tuple())
    case UInt8(ascii: "["):
      try skipList()
      return .list
    default:
      if takeWord("True") { return .bool(true) }
      if takeWord("False") { return .bool(false) }
      throw fault("an unexpected value")
    }
  }

  private mutating func string() throws(ImportFault) -> String {
    skipSpace()
    guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw fault("a string is missing")
    }
    let start = index + 1
    guard let end = bytes[start...].firstIndex(of: quote),
      !bytes[start..<end].contains(UInt8(ascii: "\\"))
    else { throw fault("a string does not end") }
    index = end + 1
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private mutating func tuple() throws(ImportFault) -> [Int] {
    try expect("(")
    var elements: [Int] = []
    while !take(")") {
      elements.append(try integer())
      guard take(",") else {
        // In Python (3) is a number in parentheses.
        guard elements.count > 1 else { throw fault("the shape is not a tuple") }
        try expect(")")
        break
      }
    }
    return elements
  }

  private mutating func integer() throws(ImportFault) -> Int {
    skipSpace()
    let start = index
    while let digit = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) { index += 1 }
    guard let value = Int(String(decoding: bytes[start..<index], as: UTF8.self)) else {
      throw fault("an extent is not a number or too large")
    }
    // Files of Python 2 write long integers so.
    if peek == UInt8(ascii: "L") { index += 1 }
    return value
  }

  /// Skips a list by its brackets; what stands in it decides nothing.
  private mutating func skipList() throws(ImportFault) {
    var depth = 0
    while let byte = peek {
      index += 1
      if byte == UInt8(ascii: "[") { depth += 1 }
      if byte == UInt8(ascii: "]") { depth -= 1 }
      if depth == 0 { return }
    }
    throw fault("a list does not end")
  }

  // MARK: Characters

  private var peek: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) { index += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard peek == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(ImportFault) {
    guard take(character) else { throw fault("'\(character)' is missing") }
  }

  private mutating func takeWord(_ word: String) -> Bool {
    guard bytes[index...].starts(with: word.utf8) else { return false }
    index += word.utf8.count
    return true
  }

  private func fault(_ what: String) -> ImportFault {
    ImportFault(.invalidNumPyHeader("\(what) at character \(index - bytes.startIndex)"))
  }
}
