import BNNGraph
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNPasses

/// Random chains between a binary convolution and a sign, at every integer that the accumulator
/// can be.
///
/// Numbers are not dyadic: every step rounds, and the thresholds must be where the source's own
/// float32 arithmetic has them.
struct FoldedChainTests {
  private static let channels = 8

  @Test func everyAccumulatorHasTheBitOfTheSource() throws {
    var folded = 0
    for seed in UInt64(0)..<300 {
      var numbers = Numbers(seed: seed)
      let fanIn = [1, 2, 9, 27, 64, 150, 288][numbers.generator.nextIndex(7)]
      let source = try apply([CanonicalizeSigns(), PackBits()], to: chain(&numbers, fanIn)).graph
      let result = try apply([FoldThresholds()], to: source).graph
      if !operators(result).contains(where: { $0 != "BinaryPool" && !$0.hasPrefix("Binar") }) {
        folded += 1
      }
      let values = (-fanIn...fanIn).flatMap { number in
        [Float](repeating: Float(number), count: Self.channels * 2)
      }
      let rows = Tensor(values, shape: [2 * fanIn + 1, Self.channels, 2])
      let expected = try bits(source, rows)
      let found = try bits(result, rows)
      let places = expected.indices.filter { expected[$0] != found[$0] }
      #expect(places.isEmpty, "seed \(seed), at \(places.prefix(8)) of \(rows.shape)")
    }
    // The others have more than one interval, or one behind a max pool.
    #expect(folded > 200)
  }

  /// What a graph makes of the accumulators of its only binary convolution.
  private func bits(_ graph: Graph, _ accumulators: Tensor) throws -> [Float] {
    var cut = graph
    let node = try #require(
      cut.nodes.first { if case .binaryConvolution = $0.op { true } else { false } })
    let type = ValueType(.float32, [.batch(1), .fixed(Self.channels), .fixed(2)])
    let input = cut.addInput(name: "accumulators", type: type)
    cut.replaceUses(of: node.outputs[0], with: input)
    try cut.removeDeadNodes()
    cut.inputs.removeFirst()
    try cut.inferTypes()
    let results = try ReferenceExecutor(cut).run(["accumulators": accumulators])
    return try #require(results[cut.outputs[0]]).floats
  }

  /// Two positions, so that there is something to pool; both have the same accumulator.
  private func chain(_ numbers: inout Numbers, _ fanIn: Int) -> Graph {
    var b = GraphBuilder()
    let x = b.sign(b.input([fanIn, 2]))
    let w = b.constant(numbers.signs(Self.channels * fanIn), [Self.channels, fanIn, 1])
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: [1]))
    var y = b.node(.convolution(Convolution(geometry: geometry)), x, w)
    var isPooled = false
    for _ in 0...numbers.generator.nextIndex(5) {
      if !isPooled, numbers.generator.nextIndex(6) == 0 {
        isPooled = true
        let pool = Pool(kind: .maximum, window: WindowGeometry(kernel: [2]))
        y = b.node(.pool(pool), y)
      } else {
        y = step(y, Float(fanIn), &b, &numbers)
      }
    }
    return b.finish(b.sign(y))
  }

  private func step(
    _ x: ValueID, _ span: Float, _ b: inout GraphBuilder, _ numbers: inout Numbers
  ) -> ValueID {
    func perChannel(_ range: ClosedRange<Float>) -> ValueID {
      b.constant(numbers.uniform(Self.channels, range), [Self.channels, 1])
    }
    switch numbers.generator.nextIndex(10) {
    case 0: return b.binary(.multiply, x, perChannel(-2...2))
    case 1: return b.binary(.add, x, perChannel(-span...span))
    case 2: return b.binary(.subtract, perChannel(-span...span), x)
    case 3: return b.binary(.divide, x, perChannel(0.01...3))
    case 4, 5:
      var gamma = numbers.uniform(Self.channels)
      (gamma[0], gamma[1], gamma[2]) = (0, -0.0, 1e-30)
      return b.normalization(
        x, gamma: gamma, beta: numbers.uniform(Self.channels, -1...1),
        mean: numbers.uniform(Self.channels, -span...span),
        variance: numbers.uniform(Self.channels, 0...span))
    case 6: return b.node(.pRelu(PRelu()), x, perChannel(-1...1))
    case 7: return b.node(.clip(Clip()), x, b.scalar(-span / 3), b.scalar(span / 2))
    case 8: return b.node(.elementwiseUnary(ElementwiseUnary(function: .tanh)), x)
    default:
      let test = b.node(.comparison(Comparison(kind: .greater)), x, b.scalar(0))
      return b.node(
        .select(Where()), test, b.binary(.multiply, x, perChannel(-1...2)),
        b.binary(.multiply, x, perChannel(-1...2)))
    }
  }
}
