/// What a method made of a layer's weights.
public struct BinarizationFinding: Hashable, Sendable {
  public var node: String
  public var method: BinarizationMethod
  public var objective: Objective
  /// The objective of the start: B = sign(W), for all methods but `sign` and `xnor` with
  /// α_o = mean |W_o|, for `general` with one α = mean |W|. As a part of that of weights of 0.
  public var before: Double
  /// The objective of the result, as a part of that of weights of 0.
  public var after: Double
  /// Whether the layer's inputs became signs, too.
  public var binarizedInputs: Bool

  public enum Objective: String, Hashable, Sendable {
    /// ‖W − Ŵ‖².
    case weightError = "weight error"
    /// The squared difference of the outputs on the calibration data (see
    /// ``BinarizationMethod``), also of methods that do not minimize it where inputs become signs.
    case outputError = "output error"
  }
}
