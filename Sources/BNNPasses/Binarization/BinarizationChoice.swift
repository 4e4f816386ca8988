/// Which layers with real weights become binary, and how.
public struct BinarizationChoice: Hashable, Sendable {
  public let layers: LayerSelection
  public let method: BinarizationMethod

  public init(layers: LayerSelection, method: BinarizationMethod = .xnor) {
    self.layers = layers
    self.method = method
  }

  /// Reads `REGEX` or `REGEX=METHOD`. What follows the last `=` belongs to the regular expression
  /// unless it is a method.
  ///
  /// - Throws: ``LayerSelectionError``.
  public init(argument: String) throws(LayerSelectionError) {
    guard let separator = argument.lastIndex(of: "="),
      let method = BinarizationMethod(String(argument[argument.index(after: separator)...]))
    else {
      self.init(layers: try LayerSelection(pattern: argument))
      return
    }
    self.init(layers: try LayerSelection(pattern: String(argument[..<separator])), method: method)
  }
}
