import BNNGraph

/// A model as it was read: its graph, types inferred, and where it came from.
public struct SourceModel: Sendable {
  public var graph: Graph
  /// The path that was read.
  public var fileName: String
  /// The size of the source in bytes, external data and (for a checkpoint) not the description
  /// included.
  public var byteCount: Int
  public var format: Format
  /// What the file says about itself, such as its producer, in the order of the file.
  public var metadata: [(key: String, value: String)]
  /// How a checkpoint gave the parameters; nil where none did.
  public internal(set) var checkpointUse: CheckpointUse?
  /// Weights of an ONNX file that no output depends on.
  public internal(set) var unreadWeights: [UnreadWeights] = []

  public enum Format: String, Hashable, Sendable {
    case onnx, checkpoint
  }

  /// Reads an ONNX model.
  ///
  /// External data is looked for beside the file and nowhere else.
  public init(onnxFile path: String, options: ImportOptions = .init()) throws(ImportError) {
    self = try reading(path) { () throws(ImportFault) in
      try OnnxImporter(path: path, options: options).run()
    }
  }

  /// Wraps a graph that was built in code.
  public init(
    graph: Graph, fileName: String, byteCount: Int, format: Format,
    metadata: [(key: String, value: String)] = []
  ) {
    self.graph = graph
    self.fileName = fileName
    self.byteCount = byteCount
    self.format = format
    self.metadata = metadata
  }
}

/// An initializer that nothing leads from to an output.
public struct UnreadWeights: Hashable, Sendable, Encodable {
  public var name: String
  public var bytes: Int
}
