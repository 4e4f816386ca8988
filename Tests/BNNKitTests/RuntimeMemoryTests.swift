import BNNKit
import CAllocationCounter
import Testing

/// The runtime's memory on every recorded test model.
@Suite(.enabled(if: Models.isPresent, "BNN_MODELS is not set"))
struct RuntimeMemoryTests {
  /// What a run needs beside weights and values: parameters per channel, tiles of each thread.
  static let allowance = 512 << 10

  @Test func memoryIsBoundedAndNotAllocatedAgain() throws {
    var largest = 0
    for run in try RecordedRun.all() {
      let source = try SourceModel(onnxFile: run.path)
      let input = source.graph[source.graph.inputs[0]]
      let batch = input.type?.fixedShape?[0] ?? 1
      let model = try Converter().convert(source).model
      let session = try InferenceSession(model)
      let inputs = [input.name: run.pairs[0].inputs.rows(0..<batch)]
      var results = try session.run(inputs)
      for _ in 0..<2 {
        let before = allocation_count()
        try session.run(inputs, into: &results)
        #expect(allocation_count() == before, "\(run.name)")
      }
      let use = session.memoryUse
      let (bits, reals) = model.weightBytes
      #expect(use.weights + use.steps <= 5 * bits + reals + Self.allowance, "\(run.name): \(use)")
      #expect(use.weights >= bits, "\(run.name)")
      largest = max(largest, use.steps)
    }
    // An allowance that nothing needs would hide what grows.
    #expect(largest > Self.allowance / 4)
  }
}

extension BinaryModel {
  /// Bytes of weights that are multiplied as bits, and of those that are multiplied as numbers.
  fileprivate var weightBytes: (bits: Int, reals: Int) {
    layers.reduce(into: (0, 0)) { sums, layer in
      switch layer.operation {
      case .binaryConvolution(_, let packed, _): sums.0 += packed.bytes.count
      case .convolution(_, let weights, _): sums.1 += 4 * weights.shape.count
      case .quantizedConvolution(_, let weights, _, _): sums.1 += weights.elements.count
      default: break
      }
    }
  }
}
