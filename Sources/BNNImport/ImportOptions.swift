/// Choices of the caller about how a source is read.
public struct ImportOptions: Hashable, Sendable {
  /// Shapes for inputs whose shape the source leaves open, by input name; the key nil means the
  /// model's only input. An extent nil is left open, which only the first one may be.
  public var inputShapes: [String?: [Int?]]

  public init(inputShapes: [String?: [Int?]] = [:]) {
    self.inputShapes = inputShapes
  }
}
