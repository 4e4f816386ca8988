import BNNGraph

extension SourceModel {
  /// Reads the parameters of a network from an archive of arrays (`.npz`), such as a PyTorch state
  /// dictionary, and its graph from an architecture description (JSON).
  public init(
    checkpointFile path: String, architectureFile: String, options: ImportOptions = .init()
  ) throws(ImportError) {
    let description = try reading(architectureFile) { () throws(ImportFault) in
      let bytes = try InputFile(architectureFile).allBytes()
      guard !bytes.isEmpty else { throw ImportFault(.empty) }
      return try ArchitectureDescription(try JSONValue.parse(bytes))
    }
    let byteCount = try reading(path) { () throws(ImportFault) in try InputFile(path).byteCount }
    let arrays = try NumPy.readArchive(path)
    // What goes wrong here is wrong in the description, or does not fit it.
    let graph = try reading(architectureFile) { () throws(ImportFault) in
      try ArchitectureBuilder(description, CheckpointParameters(arrays)).build(options)
    }
    self.init(graph: graph, fileName: path, byteCount: byteCount, format: .checkpoint)
  }
}
