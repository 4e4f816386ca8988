/// A regular expression that chooses layers by their names: it may match any part of one.
public struct LayerPattern: Hashable, Sendable {
  /// The regular expression as it was written.
  public let text: String

  /// - Parameter text: a regular expression in Swift's syntax, without control characters, which
  ///   files could not record.
  /// - Throws: ``StorageError/pattern(_:reason:)``.
  public init(_ text: String) throws(StorageError) {
    self.text = text
    guard !text.isEmpty, text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
    else { throw .pattern(text, reason: "it is empty or has control characters") }
    do {
      _ = try Regex(text)
    } catch {
      throw .pattern(text, reason: "\(error)")
    }
  }

  /// Whether the expression matches anywhere in a name.
  public func matches(_ name: String) -> Bool {
    guard let regex = try? Regex(text) else { return false }
    return (try? regex.firstMatch(in: name)) != nil
  }
}

extension LayerPattern: CustomStringConvertible {
  public var description: String { text }
}
