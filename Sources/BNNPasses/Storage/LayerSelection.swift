/// Layers that are chosen by their names.
public enum LayerSelection: Hashable, Sendable {
  /// Those whose names have a match of a regular expression.
  case matching(String)
  /// Those with this name, as files record it.
  case named(String)

  /// Layers whose names have a match of a regular expression in Swift's syntax.
  ///
  /// - Throws: ``LayerSelectionError``.
  public init(pattern: String) throws(LayerSelectionError) {
    guard !pattern.isEmpty else {
      throw LayerSelectionError(pattern: pattern, reason: "it is empty")
    }
    do {
      _ = try Regex(pattern)
    } catch {
      throw LayerSelectionError(pattern: pattern, reason: "\(error)")
    }
    self = .matching(pattern)
  }

  public func matches(_ name: String) -> Bool {
    switch self {
    case .named(let own): return name == own
    case .matching(let pattern):
      guard let regex = try? Regex(pattern) else { return false }
      return (try? regex.firstMatch(in: name)) != nil
    }
  }
}

/// A text that is no regular expression.
public struct LayerSelectionError: Error, Hashable, Sendable {
  public var pattern: String
  public var reason: String
}

extension LayerSelectionError: CustomStringConvertible {
  public var description: String { "'\(pattern)' is not a regular expression: \(reason)" }
}
