import BNNTensor

/// ONNX `MaxPool`, `AveragePool`. Input x [N, C, spatial…]. Global pools are imported with
/// `isGlobal`.
public struct Pool: Operator, Hashable {
  public var kind: Kind
  /// Ignored by a global pool.
  public var window: WindowGeometry
  /// ONNX `ceil_mode`.
  public var ceiling: Bool
  /// The window is the whole input.
  public var isGlobal: Bool

  public enum Kind: Hashable, Sendable {
    case maximum
    /// Padding counts in the divisor where `countPadding`.
    case average(countPadding: Bool)
  }

  public init(kind: Kind, window: WindowGeometry, ceiling: Bool = false, isGlobal: Bool = false) {
    self.kind = kind
    self.window = window
    self.ceiling = ceiling
    self.isGlobal = isGlobal
  }

  public var name: String {
    switch kind {
    case .maximum: isGlobal ? "GlobalMaxPool" : "MaxPool"
    case .average: isGlobal ? "GlobalAveragePool" : "AveragePool"
    }
  }
}
