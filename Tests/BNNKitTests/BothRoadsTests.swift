import BNNKit
import Foundation
import Testing

/// Networks that are there both as ONNX and as NumPy arrays.
@Suite(.enabled(if: Models.isPresent, "BNN_MODELS is not set"))
struct BothRoadsTests {
  struct Road: Sendable, CustomStringConvertible {
    var archive: String
    /// A shipped description, or a file of `fixtures/checkpoints`.
    var architecture: String
    var onnx: String
    /// Whether the ONNX file has the weights of some channels negated, where γ is negative.
    var isNegated = false

    var description: String { archive }
  }

  static let roads = [
    Road(archive: "zoo/digits_mlp", architecture: "digits-mlp", onnx: "digits_mlp-leg13"),
    Road(archive: "zoo/digits_cnn", architecture: "digits-cnn", onnx: "digits_cnn-leg11"),
    Road(archive: "zoo/digits_vgg", architecture: "digits-vgg", onnx: "digits_vgg-leg15"),
    Road(archive: "zoo/digits_bireal", architecture: "digits-bireal", onnx: "digits_bireal-leg13"),
    Road(
      archive: "zoo/digits_bireal_dataparallel", architecture: "digits-bireal",
      onnx: "digits_bireal-dyn18"),
    Road(archive: "zoo/digits_ftbnn", architecture: "digits-ftbnn", onnx: "digits_ftbnn-leg13"),
    Road(archive: "zoo/digits_react", architecture: "digits-react", onnx: "digits_react-dyn20"),
    Road(archive: "zoo/digits_frac", architecture: "digits-frac", onnx: "digits_frac-leg13"),
    Road(archive: "zoo/birealnet18", architecture: "bireal-18", onnx: "birealnet18-leg11"),
    Road(
      archive: "zoo/reactnet_a_w0281", architecture: "reactnet-a", onnx: "reactnet_a_w0281-dyn18",
      isNegated: true),
    Road(
      archive: "real/pynq-lfc-mnist/weights", architecture: "packed-dense.json",
      onnx: "real/pynq-lfc-mnist", isNegated: true),
    Road(
      archive: "real/pynq-cnv-cifar10/weights", architecture: "packed-conv.json",
      onnx: "real/pynq-cnv-cifar10", isNegated: true),
    Road(
      archive: "real/finn-tfc-mnist/weights", architecture: "packed-norm.json",
      onnx: "real/finn-tfc-mnist"),
    Road(
      archive: "real/fracbnn-cifar10/weights", architecture: "packed-frac.json",
      onnx: "real/fracbnn-cifar10"),
  ]

  @Test(arguments: roads)
  func bothRoadsGiveTheSameNetwork(_ road: Road) throws {
    let recorded = try Models.Recorded(road.onnx)
    let file = "\(GatedCheckpoint.folder)/\(road.architecture)"
    let architecture =
      road.architecture.hasSuffix(".json")
      ? try Architecture(file: file)
      : try Architecture(named: road.architecture)
    let source = try SourceModel(
      checkpointFile: Models.path(road.archive + ".npz"), architecture: architecture)
    let fromArrays = try Converter().convert(source).model
    let fromOnnx = try Converter().convert(recorded.source).model
    #expect(!products(fromArrays, road.isNegated).isEmpty)
    #expect(products(fromArrays, road.isNegated) == products(fromOnnx, road.isNegated))

    let name = source.graph[source.graph.inputs[0]].name
    let stable = try stableRows(road.onnx, count: recorded.input.shape[0])
    let first = try InferenceSession(fromArrays).run([name: recorded.input])[0].tensor
    let second = try InferenceSession(fromOnnx).run([recorded.inputName: recorded.input])[0].tensor
    #expect(first.selecting(stable).distance(to: second.selecting(stable)) <= 1e-5)
    #expect(first.selecting(stable).distance(to: recorded.expected.selecting(stable)) <= 1e-5)
  }

  /// A binary layer, which is all that its accumulators depend on besides its input bits.
  private struct Product: Hashable {
    var geometry: String
    var weights: PackedTensor
  }

  /// - Parameter isNegated: whether filters count as equal that differ in all signs.
  private func products(_ model: BinaryModel, _ isNegated: Bool) -> [Product] {
    model.layers.compactMap { layer in
      guard case .binaryConvolution(let geometry, let weights, _) = layer.operation else {
        return nil
      }
      return Product(
        geometry: "\(geometry)", weights: isNegated ? weights.withPlusFirst() : weights)
    }
  }

  /// The rows in which no rounding decides.
  private func stableRows(_ name: String, count: Int) throws -> [Int] {
    let file = try Models.path(name + "/stable.npy")
    guard FileManager.default.fileExists(atPath: file) else { return Array(0..<count) }
    let stable = try NumPy.readArray(file).bools
    return stable.indices.filter { stable[$0] }
  }
}

extension Tensor {
  fileprivate func selecting(_ rows: [Int]) -> Tensor {
    let size = count / shape[0]
    let floats = self.floats
    let kept = rows.flatMap { floats[$0 * size..<($0 + 1) * size] }
    return Tensor(kept, shape: Shape([rows.count] + shape.dimensions.dropFirst()))
  }
}

extension PackedTensor {
  /// Every filter that begins with −1 negated.
  fileprivate func withPlusFirst() -> PackedTensor {
    let size = count / shape[0]
    return PackedTensor(shape: shape) { self[$0] == self[$0 / size * size] }
  }
}
