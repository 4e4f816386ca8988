/// The text of a JSON document that is known to be valid, to find lines in it.
struct JSONText: Sendable {
  private let bytes: [UInt8]

  /// A step on the way to a value of a document.
  enum PathElement: Hashable {
    case key(String)
    case index(Int)
  }

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The line, from 1, of the value at the end of a path; where the path leads out of the
  /// document, of the last value on it.
  func line(of path: [PathElement]) -> Int {
    var scanner = Scanner(bytes: bytes[...])
    for element in path {
      let start = scanner.position
      guard scanner.descend(to: element) else {
        return line(at: start)
      }
    }
    scanner.skipSpace()
    return line(at: scanner.position)
  }

  private func line(at position: Int) -> Int {
    1 + bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") }
  }
}

/// Walks through valid JSON without building values.
private struct Scanner {
  let bytes: ArraySlice<UInt8>
  var position = 0

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// Moves into the object or list at the position, to one of its values.
  mutating func descend(to element: JSONText.PathElement) -> Bool {
    switch element {
    case .key(let name):
      guard take("{") else { return false }
      while !take("}"), next != nil {
        let key = string()
        _ = take(":")
        if key == name {
          skipSpace()
          return true
        }
        skipValue()
        _ = take(",")
      }
    case .index(let index):
      guard take("[") else { return false }
      for _ in 0..<index where next != nil {
        skipValue()
        guard take(",") else { return false }
      }
      skipSpace()
      return next != nil && next != UInt8(ascii: "]")
    }
    return false
  }

  /// The string at the position. Keys with escapes are not looked for.
  private mutating func string() -> String {
    skipSpace()
    let start = position + 1
    position = start
    while let byte = next, byte != UInt8(ascii: "\"") {
      position += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    let end = min(position, bytes.count)
    position += 1
    return start <= end ? String(decoding: bytes[start..<end], as: UTF8.self) : ""
  }

  private mutating func skipValue() {
    skipSpace()
    var depth = 0
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        _ = string()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return }
        depth -= 1
        position += 1
      case UInt8(ascii: ","):
        if depth == 0 { return }
        position += 1
      default:
        position += 1
      }
    }
  }
}
