import BNNKit

/// Reads the models that commands are given.
enum ModelLoader {
  /// An `.onnx`, or an `.npz` with its architecture description.
  static func source(
    _ path: String, _ options: SourceOptions
  ) throws(CommandError) -> SourceModel {
    let format = try ModelFormat(ofFile: path, allowed: [.onnx, .npz])
    let importOptions = try options.importOptions()
    try FilePath.requireReadable(path)
    if format == .npz { return try checkpoint(path, options, importOptions) }
    guard options.architecture == nil, options.set.isEmpty else {
      throw CommandError(
        .usage, file: path, "has its own graph; --architecture and --set are for .npz")
    }
    if let weights = options.weights { try FilePath.requireReadable(weights) }
    do {
      var model = try SourceModel(onnxFile: path, options: importOptions)
      if let weights = options.weights { try model.replaceParameters(checkpointFile: weights) }
      return model
    } catch {
      throw CommandError(error)
    }
  }

  private static func checkpoint(
    _ path: String, _ options: SourceOptions, _ importOptions: ImportOptions
  ) throws(CommandError) -> SourceModel {
    guard let name = options.architecture else {
      throw CommandError(
        .usage, file: path,
        "a checkpoint has no graph; give --architecture NAME or FILE.json (bnnconvert "
          + "--list-architectures lists names, bnninspect \(path) says which fit)")
    }
    guard options.weights == nil else {
      throw CommandError(.usage, file: path, "--weights is for .onnx")
    }
    let settings = try options.architectureSettings()
    let architecture = try architecture(name)
    do {
      return try SourceModel(
        checkpointFile: path, architecture: architecture, settings: settings,
        options: importOptions)
    } catch {
      throw CommandError(error)
    }
  }

  /// An architecture that the toolkit ships, or one that a file describes.
  static func architecture(_ name: String) throws(CommandError) -> Architecture {
    let isFile = name.hasSuffix(".json") || name.contains("/")
    if isFile { try FilePath.requireReadable(name) }
    do {
      return isFile ? try Architecture(file: name) : try Architecture(named: name)
    } catch {
      throw CommandError(error)
    }
  }

  static func file(_ path: String) throws(CommandError) -> BinaryModel {
    try FilePath.requireReadable(path)
    do {
      return try BinaryModel(contentsOfFile: path)
    } catch {
      throw CommandError(error, file: path)
    }
  }

  /// What `bnnrun` and `bnnbench` run: a `.bnn` or an `.onnx`.
  static func runnable(
    _ path: String, _ options: SourceOptions, threads: Int, kernels: KernelChoice = .best
  ) throws(CommandError) -> any RunnableModel {
    switch try ModelFormat(ofFile: path, allowed: [.bnn, .onnx]) {
    case .bnn:
      return try FileModel(
        file(path), fileName: path, threads: threads, kernels: kernels)
    case .onnx, .npz: return GraphModel(try source(path, options).graph, fileName: path)
    }
  }
}

extension SourceOptions {
  func architectureSettings() throws(CommandError) -> [String: String] {
    var settings: [String: String] = [:]
    for assignment in set {
      guard settings.updateValue(assignment.value, forKey: assignment.name) == nil else {
        throw CommandError(.usage, "--set: '\(assignment.name)' is set twice")
      }
    }
    return settings
  }

  func importOptions() throws(CommandError) -> ImportOptions {
    var shapes: [String?: [Int?]] = [:]
    for shape in inputShape {
      guard shapes.updateValue(shape.dimensions, forKey: shape.name) == nil else {
        throw CommandError(.usage, "--input-shape: an input is given two shapes")
      }
    }
    var options = ImportOptions()
    options.inputShapes = shapes
    return options
  }
}
