/// The result of a conversion.
public struct Conversion: Sendable {
  /// The path that the network was read from, and its size.
  public let sourceName: String
  public let sourceBytes: Int
  /// How a checkpoint gave the network's parameters; nil where none did.
  public let checkpointUse: CheckpointUse?
  /// The graph after all passes: what the file means.
  public let canonical: Graph
  /// The graph before lossy choices changed it; nil where there were none.
  public let exact: Graph?
  /// The model, and which of its layers comes from which node.
  public let lowered: LoweredModel
  public let passReports: [PassReport]
  /// Layers with real weights that ``FloatStorage/int8Compute`` left as they are.
  public let unquantized: [UnquantizedLayer]
  /// Weights of the source that no output depends on.
  public let unreadWeights: [UnreadWeights]
  /// What lossy choices changed; nil where there were none.
  public internal(set) var change: LossyChange?

  /// What the file holds.
  public var model: BinaryModel { lowered.model }
  /// What the passes found out.
  public var findings: [Finding] { passReports.flatMap(\.outcome.findings) }
}
