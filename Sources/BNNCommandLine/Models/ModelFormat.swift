/// What a file is, by its suffix.
enum ModelFormat: String, Sendable {
  case bnn, onnx, npz

  /// - Parameter allowed: what the command reads at this place.
  init(ofFile path: String, allowed: [ModelFormat]) throws(CommandError) {
    let suffix = FilePath.suffix(of: path)
    guard let format = ModelFormat(rawValue: suffix), allowed.contains(format) else {
      let list = allowed.map { ".\($0.rawValue)" }.joined(separator: ", ")
      throw CommandError(.usage, file: path, "the suffix decides the format; expected \(list)")
    }
    self = format
  }
}
