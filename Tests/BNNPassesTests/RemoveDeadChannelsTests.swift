import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

/// Channels that change nothing are removed, and nothing else changes.
struct RemoveDeadChannelsTests {
  private struct Layer {
    var outputs: Int
    var kernel: Int
    var padding: Int
    /// Channels whose normalization makes their sign constant.
    var dead: [Int] = []
  }

  /// Binary convolutions with a normalization and a sign behind each but the last.
  private func network(_ layers: [Layer], seed: UInt64, pooled: Bool = false) throws -> Graph {
    var numbers = Numbers(seed: seed)
    var b = GraphBuilder()
    var (x, channels) = (b.input([6, 8, 8]), 6)
    for (index, layer) in layers.enumerated() {
      let count = layer.outputs * channels * layer.kernel * layer.kernel
      let weights = b.constant(
        numbers.signs(count), [layer.outputs, channels, layer.kernel, layer.kernel])
      let pads = [layer.padding, layer.padding]
      let window = WindowGeometry(
        kernel: [layer.kernel, layer.kernel], padsBegin: pads, padsEnd: pads)
      let y = b.node(
        .convolution(Convolution(geometry: ConvolutionGeometry(window: window))), b.sign(x),
        weights)
      var beta = numbers.uniform(layer.outputs)
      for channel in layer.dead { beta[channel] = channel % 2 == 0 ? 1e6 : -1e6 }
      x = b.normalization(
        y, gamma: numbers.uniform(layer.outputs, 0.1...1), beta: beta,
        mean: numbers.uniform(layer.outputs, -1...1),
        variance: numbers.uniform(layer.outputs, 0.5...2))
      channels = layer.outputs
      if pooled, index == 0 {
        x = b.node(
          .pool(Pool(kind: .maximum, window: WindowGeometry(kernel: [2, 2], strides: [2, 2]))), x)
      }
    }
    return b.finish(x)
  }

  /// - Parameters:
  ///   - removed: at least so many; other thresholds may be out of reach by chance.
  ///   - constant: at least so many.
  private func check(
    _ source: Graph, removed: Int, constant: Int, seed: UInt64
  ) throws {
    var graph = source
    let reports = try PassPipeline.standard().run(on: &graph)
    let found = reports.flatMap(\.outcome.findings).compactMap { finding -> DeadChannels? in
      if case .deadChannels(let dead) = finding { dead } else { nil }
    }
    #expect(found.reduce(0) { $0 + $1.removed } >= removed)
    #expect(found.reduce(0) { $0 + $1.constant } >= constant)
    var plain = source
    var pipeline = PassPipeline.standard()
    try pipeline.remove("remove-dead-channels")
    try pipeline.run(on: &plain)
    var numbers = Numbers(seed: seed + 50)
    let input = Tensor(numbers.uniform(3 * 6 * 64, -1...1), shape: [3, 6, 8, 8])
    let results = try [plain, graph].map { graph in
      try ReferenceExecutor(graph).run(["x": input])[graph.outputs[0]]?.floats ?? []
    }
    // Bit for bit, not nearly.
    #expect(results[0] == results[1])
    #expect(!results[0].isEmpty)
  }

  @Test(arguments: 0..<4)
  func constantChannelsAreRemovedWhereReadersDoNotPad(_ seed: UInt64) throws {
    try check(
      network(
        [
          Layer(outputs: 8, kernel: 3, padding: 1, dead: [1, 4, 5]),
          Layer(outputs: 7, kernel: 1, padding: 0, dead: [2]),
          Layer(outputs: 5, kernel: 3, padding: 0),
        ], seed: seed), removed: 4, constant: 4, seed: seed)
  }

  @Test func behindPoolsOfBitsToo() throws {
    try check(
      network(
        [
          Layer(outputs: 8, kernel: 3, padding: 1, dead: [0, 3]),
          Layer(outputs: 5, kernel: 3, padding: 0),
        ], seed: 7, pooled: true), removed: 2, constant: 2, seed: 7)
  }

  /// At the border a reader that pads with zeros sees less of the channel.
  @Test func theyStayWithoutWeightsWhereReadersPad() throws {
    let source = try network(
      [
        Layer(outputs: 8, kernel: 3, padding: 1, dead: [1, 4]),
        Layer(outputs: 5, kernel: 3, padding: 1),
      ], seed: 8)
    try check(source, removed: 0, constant: 2, seed: 8)
    var graph = source
    try PassPipeline.standard().run(on: &graph)
    let packed = graph.nodes.compactMap { $0.input(1).flatMap { graph[$0].constant?.packed } }
    let first = try #require(packed.first { $0.shape[0] == 8 })
    let each = first.count / 8
    for row in [1, 4] { #expect((0..<each).allSatisfy { !first[row * each + $0] }) }
  }

  @Test func oneChannelStaysWhereAllAreConstant() throws {
    try check(
      network(
        [
          Layer(outputs: 3, kernel: 3, padding: 1, dead: [0, 1, 2]),
          Layer(outputs: 5, kernel: 1, padding: 0),
        ], seed: 9), removed: 2, constant: 3, seed: 9)
  }

  /// Outputs of a real-valued layer that the next one multiplies with 0.
  @Test func channelsThatOnlyZerosReadAreRemoved() throws {
    var numbers = Numbers(seed: 10)
    var b = GraphBuilder()
    let x = b.input([3, 8, 8])
    let y = b.convolution(
      x, weights: numbers.uniform(6 * 3 * 9), outputs: 6, channels: 3)
    let r = b.node(.elementwiseUnary(ElementwiseUnary(function: .relu)), y)
    var weights = numbers.uniform(4 * 6 * 9)
    for output in 0..<4 {
      for channel in [0, 5] {
        for tap in 0..<9 { weights[(output * 6 + channel) * 9 + tap] = 0 }
      }
    }
    let source = b.finish(b.convolution(r, weights: weights, outputs: 4, channels: 6))
    var graph = source
    let reports = try PassPipeline.standard().run(on: &graph)
    let shapes = graph.nodes.compactMap { $0.input(1).flatMap { graph[$0].constant?.shape } }
    #expect(shapes == [[4, 3, 3, 3], [4, 4, 3, 3]])
    #expect(
      reports.flatMap(\.outcome.findings).contains { finding in
        if case .deadChannels(let dead) = finding { dead.removed == 2 } else { false }
      })
    let input = Tensor(numbers.uniform(2 * 192, -1...1), shape: [2, 3, 8, 8])
    try expectSameMeaning(source, graph, on: input, tolerance: 1e-6)
  }
}
