import BNNGraph
import BNNTensor
import Foundation
import Testing

@testable import BNNImport

/// The folder of test models, where there is one.
let modelsFolder = ProcessInfo.processInfo.environment["BNN_MODELS"]

@Suite(.enabled(if: modelsFolder != nil, "set BNN_MODELS to the folder of test models"))
struct RealModelTests {
  /// Every `.onnx` file below the folder of test models.
  static var onnxFiles: [String] {
    guard let modelsFolder, let files = FileManager.default.enumerator(atPath: modelsFolder) else {
      return []
    }
    return files.compactMap { $0 as? String }.filter { $0.hasSuffix(".onnx") }.sorted()
  }

  @Test(arguments: onnxFiles)
  func `A model is read`(file: String) throws {
    let path = try #require(modelsFolder) + "/" + file
    let model = try SourceModel(onnxFile: path)
    #expect(!model.graph.nodes.isEmpty)
    #expect(model.graph.inputs.count == 1)
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    #expect(try model.byteCount >= #require(size))
  }

  @Test
  func `A recorded input is read with its shape`() throws {
    let folder = try #require(modelsFolder)
    let images = try NumPy.readArray(folder + "/zoo/x_test.npy")
    #expect(images.shape.dimensions.first == 540)
    let labels = try NumPy.readArray(folder + "/zoo/y_test.npy")
    #expect(labels.shape == [540])
    #expect(labels.integers.allSatisfy { (0...9).contains($0) })
  }
}

/// Checkpoints read through the project's descriptions against the same networks in ONNX.
@Suite(.enabled(if: modelsFolder != nil, "set BNN_MODELS to the folder of test models"))
struct RealCheckpointTests {
  private static let descriptions = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../fixtures/architectures").standardizedFileURL.path

  @Test(arguments: [
    ("digits_mlp", "digits-mlp", "digits_mlp-leg13"),
    ("digits_cnn", "digits-cnn", "digits_cnn-dyn18"),
    ("digits_bireal", "digits-bireal", "digits_bireal-leg13"),
    ("digits_ftbnn", "digits-ftbnn", "digits_ftbnn-leg13"),
  ])
  func `A checkpoint computes what its ONNX file computes`(
    checkpoint: String, description: String, onnx: String
  ) throws {
    let folder = try #require(modelsFolder) + "/zoo"
    let model = try SourceModel(
      checkpointFile: "\(folder)/\(checkpoint).npz",
      architecture: Architecture(file: "\(Self.descriptions)/\(description).json"))
    let reference = try SourceModel(onnxFile: "\(folder)/\(onnx).onnx")
    let images = try NumPy.readArray(folder + "/x_test.npy")
    let batch = Tensor(Array(images.floats[..<(64 * 64)]), shape: [64, 1, 8, 8])
    let input = { (model: SourceModel) in model.graph[model.graph.inputs[0]].name }
    let result = try #require(try model.run([input(model): batch]))
    let expected = try #require(try reference.run([input(reference): batch]))
    #expect(result.shape == expected.shape)
    let largest = expected.floats.map(abs).max() ?? 0
    let error = zip(result.floats, expected.floats).map { abs($0 - $1) }.max() ?? .infinity
    #expect(error <= 1e-4 * largest)
  }
}
