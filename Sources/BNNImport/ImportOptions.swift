import BNNTensor

/// Choices of the caller about how a source is read.
public struct ImportOptions: Equatable, Sendable {
  /// Shapes for inputs whose shape the source leaves open, by input name; the key nil means the
  /// model's only input. An extent nil is left open, which only the first one may be.
  public var inputShapes: [String?: [Int?]]
  /// Inputs that become constants: for a graph whose shapes depend on an input's elements.
  public var inputConstants: [String: Tensor]

  public init(inputShapes: [String?: [Int?]] = [:], inputConstants: [String: Tensor] = [:]) {
    self.inputShapes = inputShapes
    self.inputConstants = inputConstants
  }
}
