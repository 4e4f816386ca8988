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
