import BNNKit

/// Reads the models that commands are given.
enum ModelLoader {
  /// An `.onnx`, or an `.npz` with its architecture description.
  static func source(
    _ path: String, _ options: SourceOptions
  ) throws(CommandError) -> SourceModel {
    let format = try ModelFormat(ofFile: path, allowed: [.onnx, .npz])
    let importOptions = try options.importOptions()
    if format == .npz {
      guard let architecture = options.architecture else {
        throw CommandError(
          .usage, file: path,
          "a checkpoint has no graph; describe it with --architecture FILE.json")
      }
      try FilePath.requireReadable(path)
      try FilePath.requireReadable(architecture)
      do {
        return try SourceModel(
          checkpointFile: path, architectureFile: architecture, options: importOptions)
      } catch {
        throw CommandError(error)
      }
    }
    guard options.architecture == nil else {
      throw CommandError(.usage, file: path, "has its own graph; --architecture is for .npz")
    }
    try FilePath.requireReadable(path)
    do {
      return try SourceModel(onnxFile: path, options: importOptions)
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
