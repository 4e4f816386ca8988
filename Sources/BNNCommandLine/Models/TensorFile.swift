import BNNKit

/// Tensors in files, by suffix: `.npy`, and for reading also `.pb` (ONNX TensorProto).
enum TensorFile {
  static func read(_ path: String) throws(CommandError) -> Tensor {
    let suffix = FilePath.suffix(of: path)
    guard suffix == "npy" || suffix == "pb" else {
      throw CommandError(
        .usage, file: path, "the suffix decides the format; expected .npy or .pb")
    }
    try FilePath.requireReadable(path)
    do {
      return suffix == "npy" ? try NumPy.readArray(path) : try TensorProto.read(path)
    } catch {
      throw CommandError(error)
    }
  }

  /// Reads a tensor as elements of an input's type.
  static func read(_ path: String, for port: Port) throws(CommandError) -> Tensor {
    let tensor = try read(path)
    guard let converted = tensor.converted(to: port.elementType) else {
      throw CommandError(
        .usage, file: path,
        "elements of type \(tensor.elementType.rawValue) are not those of input '\(port.name)': "
          + "\(port.elementType.rawValue); convert the file")
    }
    return converted
  }

  /// Reads a tensor for every input of a graph from arguments of the form `[NAME=]FILE`; none for no
  /// arguments.
  static func read(
    _ arguments: [String], option: String, for graph: Graph
  ) throws(CommandError) -> [String: Tensor] {
    guard !arguments.isEmpty else { return [:] }
    let ports = graph.inputs.map { Port(graph[$0]) }
    let paths = try NamedFiles(option: option, arguments: arguments)
      .resolved(for: ports.map(\.name))
    var inputs: [String: Tensor] = [:]
    for port in ports {
      guard let path = paths[port.name] else {
        throw CommandError(
          .usage, "input '\(port.name)' has no file; give \(option) for each input")
      }
      inputs[port.name] = try read(path, for: port)
    }
    return inputs
  }

  static func requireWritable(_ path: String) throws(CommandError) {
    guard FilePath.suffix(of: path) == "npy" else {
      throw CommandError(.usage, file: path, "outputs are written as .npy; use that suffix")
    }
    try FilePath.requireCreatable(path, overwriting: true)
  }

  static func write(_ tensor: Tensor, to path: String) throws(CommandError) {
    do {
      try NumPy.writeArray(array(tensor), path)
    } catch {
      throw CommandError(error)
    }
  }

  static func readArchive(_ path: String) throws(CommandError) -> [String: Tensor] {
    try FilePath.requireReadable(path)
    do {
      // Names in an archive are unique.
      return Dictionary(try NumPy.readArchive(path).map { ($0.name, $0.tensor) }) { $1 }
    } catch {
      throw CommandError(error)
    }
  }

  static func writeArchive(_ tensors: [NamedTensor], to path: String) throws(CommandError) {
    do {
      try NumPy.writeArchive(tensors.map { ($0.name, array($0.tensor)) }, path)
    } catch {
      throw CommandError(error)
    }
  }

  /// The tensor with a type that NumPy has: it has none of one bit.
  private static func array(_ tensor: Tensor) -> Tensor {
    tensor.elementType == .sign ? Tensor(tensor.floats, shape: tensor.shape) : tensor
  }
}
