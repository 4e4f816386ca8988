import BNNKit
import Foundation

/// The recorded test models, where they are present.
enum Models {
  static let folder = ProcessInfo.processInfo.environment["BNN_MODELS"]

  static var isPresent: Bool { folder != nil }

  static func path(_ relative: String) throws -> String {
    guard let folder else { throw Missing() }
    return folder + "/" + relative
  }

  struct Missing: Error, CustomStringConvertible {
    var description: String { "set BNN_MODELS to the folder of the recorded test models" }
  }

  /// A network, its recorded inputs and what ONNX Runtime gave for them.
  struct Recorded {
    let source: SourceModel
    let input: Tensor
    let expected: Tensor

    var inputName: String { source.graph[source.graph.inputs[0]].name }

    /// - Parameter name: a file in `zoo/` without its suffix, or a folder in `real/`.
    init(_ name: String) throws {
      if name.hasPrefix("real/") {
        source = try SourceModel(onnxFile: Models.path(name + "/model.onnx"))
        input = try NumPy.readArray(Models.path(name + "/inputs.npy"))
        expected = try NumPy.readArray(Models.path(name + "/expected.npy"))
      } else {
        source = try SourceModel(onnxFile: Models.path("zoo/\(name).onnx"))
        input = try NumPy.readArray(Models.path("zoo/\(name).input.npy"))
        expected = try NumPy.readArray(Models.path("zoo/\(name).output.npy"))
      }
    }
  }

  /// The accuracy that a model's authors measured on the recorded test images.
  static func recordedAccuracy(of name: String) throws -> Double {
    let data = try Data(contentsOf: URL(fileURLWithPath: path("zoo/manifest.json")))
    let manifest = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let entry = manifest?[name] as? [String: Any]
    guard let accuracy = entry?["test_accuracy"] as? Double else { throw Missing() }
    return accuracy
  }
}

extension Tensor {
  /// Rows of the first dimension.
  func rows(_ range: Range<Int>) -> Tensor {
    let size = count / shape[0]
    let elements = Array(floats[range.lowerBound * size..<range.upperBound * size])
    return Tensor(elements, shape: Shape([range.count] + shape.dimensions.dropFirst()))
  }

  /// The index of the largest element of each row.
  var topOne: [Int] {
    let size = count / shape[0]
    let floats = self.floats
    return (0..<shape[0]).map { row in
      (0..<size).max { floats[row * size + $0] < floats[row * size + $1] } ?? 0
    }
  }

  /// The largest difference to another tensor, in units of that tensor's largest magnitude.
  func distance(to other: Tensor) -> Float {
    let largest = other.floats.reduce(Float(0)) { max($0, abs($1)) }
    let distance = zip(floats, other.floats).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
    return largest == 0 ? distance : distance / largest
  }
}

extension InferenceSession {
  /// The first output for an input of any number of pictures, in slices of a fixed batch.
  func run(_ input: Tensor, name: String, slice: Int) throws -> Tensor {
    var elements: [Float] = []
    for start in stride(from: 0, to: input.shape[0], by: slice) {
      let output = try run([name: input.rows(start..<start + slice)])
      elements += output[0].tensor.floats
    }
    let rows = input.shape[0]
    return Tensor(elements, shape: [rows, elements.count / rows])
  }
}
