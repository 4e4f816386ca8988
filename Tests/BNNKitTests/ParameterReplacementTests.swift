import BNNKit
import Foundation
import Testing

@testable import BNNImport

/// `--weights`: the arrays of a checkpoint in the place of an ONNX model's initializers.
@Suite struct ParameterReplacementTests {
  private static let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../fixtures/digits/model.onnx").standardizedFileURL.path

  private let source: SourceModel
  private let parameters: [(name: String, tensor: Tensor)]

  init() throws {
    source = try SourceModel(onnxFile: Self.model)
    let graph = source.graph
    parameters = graph.valueIDs.compactMap { id in
      let value = graph[id]
      guard let tensor = value.constant, value.name.hasSuffix(".weight") else { return nil }
      return (value.name, tensor)
    }
  }

  private func write(_ arrays: [(name: String, tensor: Tensor)]) throws -> String {
    let path = NSTemporaryDirectory() + "weights-\(UUID().uuidString).npz"
    try NumPy.writeArchive(arrays, path)
    return path
  }

  private func replaced(_ arrays: [(name: String, tensor: Tensor)]) throws -> SourceModel {
    let path = try write(arrays)
    defer { try? FileManager.default.removeItem(atPath: path) }
    var model = source
    try model.replaceParameters(checkpointFile: path)
    return model
  }

  @Test func `Parameters are replaced by name, whatever stands before it`() throws {
    try #require(parameters.count > 2)
    let negated = parameters.map { entry in
      ("module." + entry.name, Tensor(entry.tensor.floats.map { -$0 }, shape: entry.tensor.shape))
    }
    let counter = ("module.bn1.num_batches_tracked", Tensor(scalar: 3))
    let model = try replaced(negated + [counter])
    let use = try #require(model.checkpointUse)
    #expect(use.prefix == "module.")
    #expect(use.loadedArrays == parameters.count)
    #expect(use.ignoredArrays.map(\.name) == ["module.bn1.num_batches_tracked"])
    for id in source.graph.valueIDs {
      let (old, new) = (source.graph[id], model.graph[id])
      guard let constant = old.constant else { continue }
      let isReplaced = parameters.contains { $0.name == old.name }
      #expect(new.constant?.floats == constant.floats.map { isReplaced ? -$0 : $0 })
    }
    // The signs of the weights are part of what is converted.
    let (before, after) = (try Converter().convert(source), try Converter().convert(model))
    #expect(try before.model.encoded() != after.model.encoded())
  }

  @Test func `The model's own parameters change nothing`() throws {
    let model = try replaced(parameters)
    #expect(
      try Converter().convert(model).model.encoded()
        == Converter().convert(source).model.encoded())
  }

  @Test func `Other types are converted`() throws {
    let doubles = parameters.map { ($0.name, Tensor($0.tensor.doubles, shape: $0.tensor.shape)) }
    let model = try replaced(doubles)
    #expect(
      try Converter().convert(model).model.encoded()
        == Converter().convert(source).model.encoded())
  }

  @Test func `Arrays that do not fit are listed at once`() throws {
    let first = try #require(parameters.first)
    let arrays = [
      (first.name, Tensor([Float(1), 2], shape: [2])), (parameters[1].name, parameters[1].tensor),
      ("unknown.array", Tensor(scalar: 1)),
    ]
    let error = try #require(throws: ImportError.self) { try replaced(arrays) }
    #expect(
      error.reason
        == .parameters([
          .shape(
            name: first.name, found: [2], expected: first.tensor.shape.dimensions),
          .unexpected(name: "unknown.array", nearest: nil),
        ]))
    #expect(error.category == .malformed)
  }

  @Test func `Nothing to replace`() throws {
    let error = try #require(throws: ImportError.self) {
      try replaced([("bn.num_batches_tracked", Tensor(scalar: 1))])
    }
    #expect(error.reason == .nothingReplaced)
  }
}
