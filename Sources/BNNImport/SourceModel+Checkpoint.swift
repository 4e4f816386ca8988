import BNNGraph
import BNNTensor

extension SourceModel {
  /// Reads the parameters of a network from an archive of arrays (`.npz`), such as a PyTorch state
  /// dictionary, and its graph from an architecture.
  ///
  /// What the names of the arrays begin with (`module.`) is found out; arrays of other networks
  /// beside it (a teacher) are left out and listed in ``checkpointUse``.
  ///
  /// - Parameter settings: values for the architecture's settings, as text: `"4"`, `"[1, 2]"`,
  ///   `"pre_add"`. The setting `prefix` names the beginning of the arrays' names.
  /// - Throws: every parameter that is missing, unexpected or of a wrong shape, at once.
  public init(
    checkpointFile path: String, architecture: Architecture, settings: [String: String] = [:],
    options: ImportOptions = .init()
  ) throws(ImportError) {
    let byteCount = try reading(path) { () throws(ImportFault) in try InputFile(path).byteCount }
    let arrays = try NumPy.readArchive(path)
    let (graph, use) = try architecture.apply(to: arrays, settings, options)
    self.init(graph: graph, fileName: path, byteCount: byteCount, format: .checkpoint)
    checkpointUse = use
  }
}

extension Architecture {
  /// How the arrays of a checkpoint become the parameters of such a network, with the settings that
  /// the arrays show.
  ///
  /// - Throws: if they do not fit.
  public func use(
    by arrays: [(name: String, tensor: Tensor)]
  ) throws(ImportError) -> CheckpointUse {
    try apply(to: arrays, [:], .init()).1
  }

  /// The arrays that such a network is made of, in the order in which it uses them.
  ///
  /// - Parameter settings: as for a checkpoint; what is not given has its default.
  public func parameters(settings: [String: String] = [:]) throws(ImportError) -> [Parameter] {
    try reading(source) { () throws(ImportFault) in
      description.parameters(try description.values(of: settings), .init())
    }
  }

  fileprivate func apply(
    to arrays: [(name: String, tensor: Tensor)], _ settings: [String: String],
    _ options: ImportOptions
  ) throws(ImportError) -> (Graph, CheckpointUse) {
    // What goes wrong here is wrong in the description, or does not fit it.
    try reading(source) { () throws(ImportFault) in
      try ArchitectureApplication(description, arrays).run(settings, options)
    }
  }
}

extension SourceModel {
  /// Replaces parameters by the arrays of a checkpoint that have their names: for a graph that was
  /// exported once and trained on.
  ///
  /// What the names of the arrays begin with (`module.`) is found out. Parameters without an array
  /// stay as they are.
  ///
  /// - Throws: every array that no parameter has the name of, or of a wrong shape, at once.
  public mutating func replaceParameters(checkpointFile path: String) throws(ImportError) {
    let arrays = try NumPy.readArchive(path)
    checkpointUse = try reading(path) { () throws(ImportFault) in
      try ParameterReplacement(arrays).run(on: &graph)
    }
  }
}

/// Applies a description to the arrays of a checkpoint.
private struct ArchitectureApplication {
  let description: ArchitectureDescription
  let arrays: [(name: String, tensor: Tensor)]

  init(_ description: ArchitectureDescription, _ arrays: [(name: String, tensor: Tensor)]) {
    self.description = description
    self.arrays = arrays
  }

  func run(
    _ settings: [String: String], _ options: ImportOptions
  ) throws(ImportFault) -> (Graph, CheckpointUse) {
    let given = try description.values(of: settings)
    let prefix = settings[ArchitectureSetting.prefixName]
    let known = if let prefix { prefix } else { try self.prefix(given, options) }
    let parameters = CheckpointParameters(arrays, prefix: known)
    let resolved = ResolvedSettings(
      description.settings, given: given, shape: parameters.shape)
    let builder = ArchitectureBuilder(description, resolved.variables, parameters)
    try builder.addSteps(options)
    let ignored = try builder.finish()
    let use = CheckpointUse(
      architecture: description.name,
      settings: resolved.values.map {
        .init(name: $0.name, value: $0.value.text, origin: $0.origin)
      }, prefix: parameters.prefix,
      loadedArrays: builder.parameters.loadedCount, ignoredArrays: ignored)
    return (builder.graph, use)
  }

  /// What the arrays' names begin with: which beginning leads to most of the parameters that the
  /// description reads.
  private func prefix(
    _ given: [String: JSONValue], _ options: ImportOptions
  ) throws(ImportFault) -> String {
    let wanted = description.parameters(given, options).flatMap(\.names)
    return try CheckpointParameters.prefix(
      of: arrays.map(\.name), wanted: Set(wanted), preferred: description.prefixes)
  }
}

extension ArchitectureDescription {
  /// What it reads from a checkpoint, from building it without one. The list ends early where a
  /// shape follows from a parameter or the description is wrong.
  fileprivate func parameters(
    _ given: [String: JSONValue], _ options: ImportOptions
  ) -> [Architecture.Parameter] {
    let resolved = ResolvedSettings(settings, given: given, shape: nil)
    let builder = ArchitectureBuilder(
      self, resolved.variables, CheckpointParameters([], prefix: ""))
    try? builder.addSteps(options)
    return builder.requests
  }

  /// The values of settings that are given as text.
  fileprivate func values(of given: [String: String]) throws(ImportFault) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    for (name, text) in given where name != ArchitectureSetting.prefixName {
      guard let setting = settings.first(where: { $0.name == name }) else {
        let known = settings.map(\.name) + [ArchitectureSetting.prefixName]
        throw ImportFault(.unknownSetting(name, known: known.sorted()))
      }
      values[name] = try setting.value(of: text)
    }
    return values
  }
}
