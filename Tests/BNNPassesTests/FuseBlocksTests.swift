import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct FuseBlocksTests {
  /// A residual block: sign, convolution, normalization, addition, PReLU, then a sign.
  private func residual(seed: UInt64) -> Graph {
    var numbers = Numbers(seed: seed)
    var b = GraphBuilder()
    let x = b.input([4, 4, 4])
    let y = b.convolution(
      b.sign(x), weights: numbers.signs(4 * 4 * 9, scale: 0.125), outputs: 4, channels: 4)
    let n = b.normalization(
      y, gamma: numbers.uniform(4), beta: numbers.uniform(4), mean: numbers.uniform(4),
      variance: numbers.uniform(4, 0.5...2))
    let sum = b.binary(.add, n, x)
    let p = b.node(.pRelu(PRelu()), sum, b.constant(numbers.uniform(4, 0...1), [4, 1, 1]))
    let second = b.convolution(
      b.sign(p), weights: numbers.signs(4 * 4 * 9), outputs: 4, channels: 4)
    return b.finish(b.binary(.add, second, p))
  }

  @Test(arguments: 0..<5)
  func aResidualBlockIsOneStepThatGivesValuesAndBits(_ seed: UInt64) throws {
    let before = residual(seed: seed)
    var graph = before
    try PassPipeline.standard().run(on: &graph)
    #expect(operators(graph) == ["Block", "Block", "Block"])
    guard case .block(let block) = graph.nodes[1].op else { return }
    #expect(block.epilogue.outputTypes == [.float32, .sign])
    #expect(block.epilogue.steps.count == 3)
    var numbers = Numbers(seed: seed + 100)
    let input = Tensor(numbers.uniform(3 * 64), shape: [3, 4, 4, 4])
    let signs = try apply([CanonicalizeSigns()], to: before).graph
    try expectSameMeaning(signs, graph, on: input, tolerance: 1e-5)
  }

  @Test func aSignBehindTheAccumulatorTestsIntegers() throws {
    var numbers = Numbers(seed: 3)
    var b = GraphBuilder()
    let x = b.input([4, 4, 4])
    let y = b.convolution(b.sign(x), weights: numbers.signs(144), outputs: 4, channels: 4)
    let n = b.normalization(
      y, gamma: numbers.signs(4), beta: numbers.uniform(4), mean: numbers.uniform(4),
      variance: numbers.uniform(4, 0.5...2))
    let before = b.finish(b.sign(n))
    var graph = before
    try PassPipeline.standard().run(on: &graph)
    guard case .block(let block) = graph.nodes.last?.op,
      case .accumulatorBits = block.epilogue.output
    else {
      Issue.record("\(operators(graph))")
      return
    }
    #expect(block.epilogue.steps.isEmpty)
    let signs = try apply([CanonicalizeSigns()], to: before).graph
    try expectSameMeaning(
      signs, graph, on: Tensor(numbers.uniform(128), shape: [2, 4, 4, 4]))
  }

  @Test func constantsOnEitherSideBecomeOneAffineStep() throws {
    var b = GraphBuilder()
    let x = b.input([2])
    let doubled = b.binary(.multiply, x, b.scalar(2))
    let flipped = b.binary(.subtract, b.constant([1, 3], [2]), doubled)
    let before = b.finish(b.binary(.divide, flipped, b.scalar(4)))
    let (after, _) = try apply([FuseBlocks()], to: before)
    guard case .block(let block) = after.nodes.first?.op else { return }
    #expect(after.nodes.count == 1)
    #expect(block.epilogue.steps == [.affine(scale: [-0.5, -0.5], bias: [0.25, 0.75])])
    try expectSameMeaning(before, after, on: Tensor([Float(1), 2, -3, 5], shape: [2, 2]))
  }

  /// What is rounded must be the source's own number: with merged scales, some of these numbers
  /// would be rounded to the next integer.
  @Test(arguments: [false, true])
  func everyRoundingBeforeAJumpIsKept(_ isComparison: Bool) throws {
    var numbers = Numbers(seed: 5)
    var b = GraphBuilder()
    let x = b.input([4])
    let n = b.normalization(
      b.binary(.multiply, x, b.scalar(0.3)), gamma: numbers.uniform(4), beta: numbers.uniform(4),
      mean: numbers.uniform(4), variance: numbers.uniform(4, 0.5...2))
    let quotient = b.binary(.divide, b.binary(.add, n, b.scalar(0.1)), b.scalar(0.0235))
    let rounded =
      isComparison
      ? b.node(
        .cast(Cast(to: .float32)),
        b.node(.comparison(Comparison(kind: .greater)), quotient, b.constant([1.1, 2, 3, 4], [4])))
      : b.node(.elementwiseUnary(ElementwiseUnary(function: .roundHalfToEven)), quotient)
    let before = b.finish(b.binary(.multiply, rounded, b.scalar(0.0235)))
    let (after, _) = try apply([FuseBlocks()], to: before)
    #expect(operators(after).contains("Block") && operators(after).contains("Div"))
    let rows = Tensor((0..<80_000).map { Float($0 / 4 - 10_000) / 8 }, shape: [20_000, 4])
    try expectSameMeaning(before, after, on: rows)
  }

  @Test func subtractionOfTwoValuesIsExact() throws {
    var numbers = Numbers(seed: 4)
    var b = GraphBuilder()
    let x = b.input([8])
    let a = b.node(.elementwiseUnary(ElementwiseUnary(function: .tanh)), x)
    let before = b.finish(b.binary(.subtract, x, a), b.binary(.subtract, a, x))
    let (after, _) = try apply([FuseBlocks()], to: before)
    #expect(Set(operators(after)) == ["Block"])
    try expectSameMeaning(before, after, on: Tensor(numbers.uniform(32), shape: [4, 8]))
  }

  @Test(arguments: 0..<3)
  func twoSlopesInEverySpelling(_ form: Int) throws {
    var numbers = Numbers(seed: 21)
    let (p, n) = (numbers.uniform(4, 0.5...2), numbers.uniform(4, -1...1))
    var b = GraphBuilder()
    let x = b.input([4, 4, 4])
    func relu(_ x: ValueID) -> ValueID {
      b.node(.elementwiseUnary(ElementwiseUnary(function: .relu)), x)
    }
    let (up, down) = (b.constant(p, [4, 1, 1]), b.constant(n, [4, 1, 1]))
    let y: ValueID
    switch form {
    case 0:
      let condition = b.node(.comparison(Comparison(kind: .greater)), x, b.scalar(0))
      y = b.node(
        .select(Where()), condition, b.binary(.multiply, x, up), b.binary(.multiply, x, down))
    case 1:
      let negated = b.node(.elementwiseUnary(ElementwiseUnary(function: .negate)), x)
      y = b.binary(
        .subtract, b.binary(.multiply, up, relu(x)), b.binary(.multiply, down, relu(negated)))
    default:
      y = b.binary(
        .add, b.binary(.multiply, b.binary(.maximum, x, b.scalar(0)), up),
        b.binary(.multiply, b.binary(.minimum, x, b.scalar(0)), down))
    }
    let before = b.finish(y)
    let (after, _) = try apply([CanonicalizeActivations(), FuseBlocks()], to: before)
    guard case .block(let block) = after.nodes.first?.op else { return }
    #expect(block.epilogue.steps == [.slopes(positive: p, negative: n)])
    try expectSameMeaning(before, after, on: Tensor(numbers.uniform(64), shape: [1, 4, 4, 4]))
  }

  @Test(arguments: 0..<8, [false, true])
  func bitsArePooledAlsoWithNegativeGamma(_ seed: UInt64, _ normalizesFirst: Bool) throws {
    var numbers = Numbers(seed: seed)
    var b = GraphBuilder()
    let x = b.input([4, 4, 4])
    let y = b.convolution(b.sign(x), weights: numbers.signs(144), outputs: 4, channels: 4)
    let window = WindowGeometry(kernel: [2, 2], strides: [2, 2])
    func pool(_ x: ValueID) -> ValueID {
      b.node(.pool(Pool(kind: .maximum, window: window)), x)
    }
    func normalize(_ x: ValueID) -> ValueID {
      b.normalization(
        x, gamma: numbers.uniform(4), beta: numbers.uniform(4), mean: numbers.uniform(4),
        variance: numbers.uniform(4, 0.5...2))
    }
    let before = b.finish(b.sign(normalizesFirst ? pool(normalize(y)) : normalize(pool(y))))
    var graph = before
    try PassPipeline.standard().run(on: &graph)
    #expect(operators(graph) == ["Block", "Block", "BinaryPool"])
    guard case .block(let block) = graph.nodes[1].op, case .accumulatorBits = block.epilogue.output
    else {
      Issue.record("the sign does not test the accumulator")
      return
    }
    let signs = try apply([CanonicalizeSigns()], to: before).graph
    try expectSameMeaning(
      signs, graph, on: Tensor(numbers.uniform(128), shape: [2, 4, 4, 4]))
  }
}
