import BNNKit
import BNNTestSupport
import Testing

/// A network's ONNX file and its checkpoint lead to the same binary layers and outputs.
@Suite(.enabled(if: Models.isPresent, "BNN_MODELS is not set"))
struct TwoRoadsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var graph: String
    var checkpoint: String
    var architecture: String
    var binaryConvolutions: Int

    var testDescription: String { architecture }
  }

  static let cases = [
    Case(
      graph: "birealnet18-leg11", checkpoint: "birealnet18", architecture: "bireal-18",
      binaryConvolutions: 16),
    Case(
      graph: "reactnet_a_w0281-dyn18", checkpoint: "reactnet_a_w0281", architecture: "reactnet-a",
      binaryConvolutions: 31),
  ]

  private func checkpoint(_ one: Case) throws -> SourceModel {
    try SourceModel(
      checkpointFile: Models.path("zoo/\(one.checkpoint).npz"),
      architecture: Architecture(named: one.architecture))
  }

  @Test(arguments: cases)
  func accumulatorsAreEqualForEqualBits(_ one: Case) throws {
    let exported = try Converter().convert(Models.Recorded(one.graph).source).canonical
    let loaded = try Converter().convert(checkpoint(one)).canonical
    let (expected, found) = (exported.binaryConvolutions, loaded.binaryConvolutions)
    #expect(expected.count == one.binaryConvolutions)
    try #require(found.count == expected.count)
    var generator = SeededGenerator(seed: 5)
    for (a, b) in zip(expected, found) {
      #expect(a.geometry == b.geometry)
      let bits = a.randomInput(using: &generator)
      // An exporter that folds a batch normalization of negative scale turns a channel's weights
      // around, and its scale with them.
      for (sums, other) in zip(try a.sums(for: bits), try b.sums(for: bits)) {
        #expect(sums == other || sums == other.map { -$0 })
        #expect(sums.contains { $0 != 0 })
      }
    }
  }

  @Test(arguments: cases)
  func outputsAreEqualUpToRounding(_ one: Case) throws {
    let recorded = try Models.Recorded(one.graph)
    func output(_ source: SourceModel) throws -> Tensor {
      let name = source.graph[source.graph.inputs[0]].name
      let session = try InferenceSession(Converter().convert(source).model, threads: 2)
      return try session.run([name: recorded.input])[0].tensor
    }
    let (exported, loaded) = (try output(recorded.source), try output(checkpoint(one)))
    #expect(loaded.shape == recorded.expected.shape)
    #expect(loaded.distance(to: exported) <= 1e-5)
    #expect(loaded.distance(to: recorded.expected) <= 1e-5)
  }
}

/// A convolution of bits in a graph.
private struct BitConvolution {
  var geometry: ConvolutionGeometry
  var weights: Tensor

  func randomInput(using generator: inout SeededGenerator) -> Tensor {
    let channels = weights.shape[weights.shape.rank - 1] * geometry.groups
    return .randomSigns([1, channels, 5, 5], using: &generator)
  }

  /// The accumulators of each output channel.
  func sums(for bits: Tensor) throws -> [[Float]] {
    let sums = try BinaryConvolution(geometry: geometry).evaluate([bits, weights])[0]
    let (channels, floats) = (sums.shape[1], sums.floats)
    let size = sums.count / channels
    return (0..<channels).map { Array(floats[$0 * size..<($0 + 1) * size]) }
  }
}

extension Graph {
  /// Geometry and weights of every convolution of bits, in order.
  fileprivate var binaryConvolutions: [BitConvolution] {
    nodes.compactMap { node in
      let geometry: ConvolutionGeometry
      switch node.op {
      case .binaryConvolution(let op): geometry = op.geometry
      case .block(let block):
        guard case .binaryConvolution(let own) = block.core else { return nil }
        geometry = own
      default: return nil
      }
      return node.input(1).flatMap { self[$0].constant }
        .map { BitConvolution(geometry: geometry, weights: $0) }
    }
  }
}
