import BNNGraph
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNPasses

struct FoldThresholdsTests {
  /// A dense binary layer of `fanIn` inputs, then `chain`, then a sign.
  private func layer(
    fanIn: Int, channels: Int, seed: UInt64,
    _ chain: (inout GraphBuilder, ValueID, inout Numbers) -> ValueID
  ) -> Graph {
    var numbers = Numbers(seed: seed)
    var b = GraphBuilder()
    let x = b.input([fanIn])
    let w = b.constant(numbers.signs(channels * fanIn), [channels, fanIn])
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: []))
    let y = b.node(.convolution(Convolution(geometry: geometry)), b.sign(x), w)
    return b.finish(b.sign(chain(&b, y, &numbers)))
  }

  /// Every accumulator value −K…K of every channel through the cone and through the thresholds.
  private func expectExactOnAllIntegers(_ before: Graph, bound: Int, isFolded: Bool = true) throws {
    let passes: [any Pass] = [CanonicalizeSigns(), PackBits()]
    let plain = try apply(passes, to: before).graph
    let folded = try apply([FoldThresholds()], to: plain).graph
    let expected = ["Binarize", "BinaryConvolution", "Binarize"]
    #expect((operators(folded) == expected) == isFolded)
    guard isFolded, case .binarize(let binarize) = folded.nodes[2].op else { return }
    let uses = plain.uses()
    let last = try #require(plain.nodes.last)
    guard case .binarize(let sign) = last.op else { return }
    let source = try #require(last.input(0))
    let cone = try #require(ElementwiseCone.all(endingIn: source, of: plain, uses).last)
    for number in -bound...bound {
      let row = [Float](repeating: Float(number), count: cone.channels)
      let value = try cone.evaluate([row], in: plain)[0]
      for c in 0..<cone.channels {
        let bit = sign.thresholds.isPlus(value[c], channel: c)
        #expect(binarize.thresholds.isPlus(Float(number), channel: c) == bit)
      }
    }
  }

  @Test(arguments: 0..<20)
  func normalizationWithAnyGamma(_ seed: UInt64) throws {
    let graph = layer(fanIn: 77, channels: 40, seed: seed) { b, y, numbers in
      var gamma = numbers.uniform(40)
      gamma[3] = 0
      gamma[4] = -0.0
      return b.normalization(
        y, gamma: gamma, beta: numbers.uniform(40), mean: numbers.uniform(40, -30...30),
        variance: numbers.uniform(40, 0...200))
    }
    try expectExactOnAllIntegers(graph, bound: 77)
  }

  @Test(arguments: 0..<10)
  func tiesExactlyAtIntegers(_ seed: UInt64) throws {
    let graph = layer(fanIn: 64, channels: 32, seed: seed) { b, y, numbers in
      b.normalization(
        y, gamma: numbers.signs(32), beta: .init(repeating: 0, count: 32),
        mean: numbers.integers(32, -64...64), variance: numbers.uniform(32, 0...50))
    }
    try expectExactOnAllIntegers(graph, bound: 64)
  }

  @Test(arguments: 0..<10)
  func slopesThatTurnTheChainAround(_ seed: UInt64) throws {
    // A PReLU with a negative slope: two half-lines or an interval.
    let graph = layer(fanIn: 63, channels: 24, seed: seed) { b, y, numbers in
      let slope = b.constant(numbers.uniform(24, -2...1), [24])
      let p = b.node(.pRelu(PRelu()), y, slope)
      return b.binary(.add, p, b.constant(numbers.uniform(24, -40...40), [24]))
    }
    try expectExactOnAllIntegers(graph, bound: 63)
  }

  @Test func notANumberIsAConstantBit() throws {
    let graph = layer(fanIn: 9, channels: 4, seed: 1) { b, y, _ in
      b.normalization(
        y, gamma: [1, .nan, 1, 1], beta: [.nan, 0, 0, 0], mean: [0, 0, .infinity, 0],
        variance: [1, 1, 1, -1])
    }
    try expectExactOnAllIntegers(graph, bound: 9)
  }

  @Test(arguments: 0..<10)
  func realNumbersOnBothSidesOfTheThreshold(_ seed: UInt64) throws {
    var numbers = Numbers(seed: seed)
    var b = GraphBuilder()
    let x = b.input([16])
    let shifted = b.binary(.add, x, b.constant(numbers.uniform(16), [16]))
    let normal = b.normalization(
      shifted, gamma: numbers.uniform(16), beta: numbers.uniform(16), mean: numbers.uniform(16),
      variance: numbers.uniform(16, 0.01...4))
    let before = try apply([CanonicalizeSigns()], to: b.finish(b.sign(normal))).graph
    let after = try apply([FoldThresholds()], to: before).graph
    #expect(operators(after) == ["Binarize"])
    guard case .binarize(let binarize) = after.nodes[0].op else { return }
    let thresholds = binarize.thresholds
    // The last number on one side of each threshold and the first on the other.
    let edges = (0..<16).map { c in
      thresholds.lower[c].isFinite ? thresholds.lower[c] : thresholds.upper[c]
    }
    let rows = [edges, edges.map(\.nextUp), edges.map(\.nextDown)]
    let extremes: [Float] = [.infinity, -.infinity, .nan, .greatestFiniteMagnitude, 0, -0.0]
    let all = rows + extremes.map { .init(repeating: $0, count: 16) } + [numbers.uniform(16)]
    try expectSameMeaning(
      before, after, on: Tensor(all.flatMap { $0 }, shape: [all.count, 16]))
  }

  @Test func aChainThatOthersReadIsLeftAlone() throws {
    var b = GraphBuilder()
    let x = b.input([4])
    let shifted = b.binary(.add, x, b.scalar(0.5))
    let before = try apply([CanonicalizeSigns()], to: b.finish(b.sign(shifted), shifted)).graph
    let after = try apply([FoldThresholds()], to: before)
    #expect(after.graph == before)
    #expect(after.reports[0].outcome.rewrites.isEmpty)
  }

  @Test func reachableZerosAreReported() throws {
    let graph = layer(fanIn: 8, channels: 2, seed: 3) { b, y, _ in
      b.normalization(y, gamma: [1, 1], beta: [0, 0], mean: [2, 0.5], variance: [1, 1])
    }
    let (_, reports) = try apply([CanonicalizeSigns(), PackBits(), FoldThresholds()], to: graph)
    let zeros = reports[2].outcome.findings.compactMap { finding -> Int? in
      if case .reachableZeros(_, let channels) = finding { channels } else { nil }
    }
    #expect(zeros == [1])
  }

  /// Large numbers overflow before they are multiplied with 0: there, and only there, it is NaN.
  @Test func anOverflowTimesZeroIsNoEndOfTheChain() throws {
    var b = GraphBuilder()
    let doubled = b.binary(.multiply, b.input([3]), b.scalar(2))
    let y = b.normalization(
      doubled, gamma: [0, 0, 1], beta: [1, -1, 0], mean: [3, 3, 1], variance: [1, 1, 1])
    let before = try apply([CanonicalizeSigns()], to: b.finish(b.sign(y))).graph
    let after = try apply([FoldThresholds()], to: before).graph
    #expect(operators(after) == ["Binarize"])
    let largest = Float.greatestFiniteMagnitude
    let edges = [largest / 2, (largest / 2).nextUp, largest, .infinity]
    let numbers = [0, 1, -5, .nan] + edges + edges.map { -$0 }
    try expectSameMeaning(
      before, after,
      on: Tensor(numbers.flatMap { [$0, $0, $0] }, shape: [numbers.count, 3]))
  }
}
