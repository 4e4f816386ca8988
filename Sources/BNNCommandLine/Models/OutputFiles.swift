import BNNKit

/// Where `bnnrun` writes a model's outputs: a file for an output each (`[NAME=]FILE.npy`), and an
/// archive of all of them (`FILE.npz`).
struct OutputFiles {
  /// The file of each output that is written, by name.
  private(set) var paths: [String: String]
  private let archive: String?

  init(arguments: [String], names: [String]) throws(CommandError) {
    let archives = arguments.filter { FilePath.suffix(of: $0) == "npz" }
    guard archives.count <= 1 else {
      throw CommandError(.usage, "--output \(archives[1]): one .npz holds all outputs; give one")
    }
    archive = archives.first
    paths = try NamedFiles(
      option: "--output", arguments: arguments.filter { !archives.contains($0) }
    ).resolved(for: names)
    for path in paths.values { try TensorFile.requireWritable(path) }
    guard let archive else { return }
    try FilePath.requireCreatable(archive, overwriting: true)
    for name in names where paths[name] == nil { paths[name] = archive }
  }

  func write(_ outputs: [NamedTensor]) throws(CommandError) {
    for output in outputs {
      guard let path = paths[output.name], path != archive else { continue }
      try TensorFile.write(output.tensor, to: path)
    }
    if let archive { try TensorFile.writeArchive(outputs, to: archive) }
  }
}
