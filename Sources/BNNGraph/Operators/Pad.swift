import BNNTensor

/// ONNX `Pad`. Inputs: x, pads, optional value, optional axes (attributes of old opsets are
/// imported as constants).
public struct Pad: Operator, Hashable {
  public var mode: Mode

  public enum Mode: String, Hashable, Sendable, CaseIterable {
    case constant, reflect, edge, wrap
  }

  public init(mode: Mode = .constant) {
    self.mode = mode
  }

  public var name: String { "Pad" }
}
