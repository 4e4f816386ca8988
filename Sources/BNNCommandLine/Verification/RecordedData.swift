import BNNKit
import Foundation

/// One set of recorded inputs and outputs: `input_N.pb` and `output_N.pb` in a folder, in the order
/// of the model's inputs and outputs.
struct RecordedData {
  var name: String
  /// nil where there is no file: the model may have a default.
  var inputs: [Tensor?]
  var outputs: [Tensor?]

  /// The sets in a folder: the folder itself, or its `test_data_set_N`.
  static func sets(
    in folder: String, of signature: OnnxSignature
  ) throws(CommandError) -> [RecordedData] {
    let entries: [String]
    do {
      entries = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw CommandError(.noInput, file: folder, "cannot be read as a folder; check the path")
    }
    let inner = entries.filter { $0.hasPrefix("test_data_set_") }.sorted {
      ($0.count, $0) < ($1.count, $1)
    }
    var sets: [RecordedData] = []
    for name in inner.isEmpty ? ["."] : inner {
      let path = inner.isEmpty ? folder : "\(folder)/\(name)"
      sets.append(
        RecordedData(
          name: inner.isEmpty ? FilePath.name(of: folder) : name,
          inputs: try tensors("input", signature.inputs, in: path),
          outputs: try tensors("output", signature.outputs, in: path)))
    }
    guard sets.allSatisfy({ $0.outputs.contains { $0 != nil } }) else {
      throw CommandError(.noInput, file: folder, "has no output_N.pb to compare with")
    }
    return sets
  }

  private static func tensors(
    _ kind: String, _ ports: [OnnxSignature.Port], in folder: String
  ) throws(CommandError) -> [Tensor?] {
    var tensors: [Tensor?] = []
    for (index, port) in ports.enumerated() {
      let path = "\(folder)/\(kind)_\(index).pb"
      let exists = FileManager.default.fileExists(atPath: path)
      tensors.append(exists ? try TensorFile.read(path).asDeclared(port.elementType) : nil)
    }
    return tensors
  }
}

extension Tensor {
  /// NumPy has no bfloat16, so that data recorded with it holds the bits as uint16.
  fileprivate func asDeclared(_ type: ElementType?) -> Tensor {
    guard type == .bfloat16, elementType == .uint16 else { return self }
    let floats = integers.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0) << 16) }
    return Tensor(floats, shape: shape, elementType: .bfloat16)
  }
}
