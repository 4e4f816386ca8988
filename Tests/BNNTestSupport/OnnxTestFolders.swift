import Foundation

/// ONNX's own test models with recorded inputs and outputs, where Debian's package keeps them.
public enum OnnxTestFolders {
  public static let root = "/usr/share/libonnx-testdata/data"

  /// All by kind and name. (What the package calls real are only addresses.)
  public static let all: [String] = ["node", "simple", "pytorch-converted", "pytorch-operator"]
    .flatMap { kind in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(kind)")) ?? []
      return names.map { "\(kind)/\($0)" }
    }.sorted()
}
