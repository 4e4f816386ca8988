/// How the arrays of a checkpoint became the parameters of a network.
public struct CheckpointUse: Hashable, Sendable, Encodable {
  /// nil where they replaced the parameters of a network with a graph of its own.
  public var architecture: String?
  public var settings: [Setting]
  /// What the names of the network's arrays begin with in the checkpoint.
  public var prefix: String
  /// How many arrays the network has its parameters from.
  public var loadedArrays: Int
  /// Arrays of the checkpoint that are no part of the network, each with the reason.
  public var ignoredArrays: [IgnoredArray]

  public struct Setting: Hashable, Sendable, Encodable {
    public var name: String
    public var value: String
    public var origin: Origin
  }

  /// Where a value is from.
  public enum Origin: String, Hashable, Sendable, Encodable {
    /// The caller gave it.
    case given
    /// It was found in the checkpoint.
    case found
    /// It is the default.
    case assumed = "default"
  }

  public struct IgnoredArray: Hashable, Sendable, Encodable {
    public var name: String
    public var reason: String
  }
}
