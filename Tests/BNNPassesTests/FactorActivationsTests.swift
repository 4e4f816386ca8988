import BNNGraph
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNPasses

/// Products with activations of few values, against the source's own arithmetic. Numbers are
/// dyadic where results must agree bit for bit.
struct FactorActivationsTests {
  private static let passes: [any Pass] = [
    FoldConstants(), CanonicalizeSigns(), FactorActivations(), FoldPadding(), BinarizeWeights(),
    PackBits(),
  ]

  private func mask(_ x: ValueID, above bound: Float, _ b: inout GraphBuilder) -> ValueID {
    let test = b.node(.comparison(Comparison(kind: .greater)), x, b.scalar(bound))
    return b.node(.cast(Cast(to: .float32)), test)
  }

  /// Applies the passes to a 3 × 3 convolution of what `activation` makes.
  private func check(
    products: Int, padding: Int = 1, bias: Bool = false, tolerance: Float = 0,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ activation: (ValueID, inout GraphBuilder) -> ValueID
  ) throws {
    var numbers = Numbers(seed: 11)
    var b = GraphBuilder()
    let x = b.input([3, 5, 5])
    let y = activation(x, &b)
    let w = b.constant(numbers.signs(4 * 27, scale: 0.5), [4, 3, 3, 3])
    let window = WindowGeometry(
      kernel: [3, 3], padsBegin: [padding, padding], padsEnd: [padding, padding])
    let c = bias ? b.constant([1, -2, 0.5, 3], [4]) : nil
    let before = b.finish(
      b.node(.convolution(Convolution(geometry: ConvolutionGeometry(window: window))), y, w, c))
    let (after, _) = try apply(Self.passes, to: before)
    #expect(
      operators(after).filter { $0 == "BinaryConvolution" }.count == products,
      "\(operators(after))", sourceLocation: sourceLocation)
    #expect(!operators(after).contains("Conv"), sourceLocation: sourceLocation)
    let input = Tensor(numbers.integers(150, -6...6).map { $0 / 4 }, shape: [2, 3, 5, 5])
    try expectSameMeaning(
      before, after, on: input, tolerance: tolerance, sourceLocation: sourceLocation)
  }

  @Test(arguments: [0, 1, 2]) func zerosAndOnes(padding: Int) throws {
    try check(products: 1, padding: padding, bias: true) { x, b in mask(x, above: 0.25, &b) }
  }

  @Test func onesAndZeros() throws {
    // 1 where x is small: zero padding is the sign's +1.
    try check(products: 1) { x, b in b.binary(.subtract, b.scalar(1), mask(x, above: 0, &b)) }
  }

  @Test(arguments: [3, 4])
  func `The maximum of several levels is that of their operand`(levels: Int) throws {
    try check(products: 2) { x, b in
      let most = b.scalar(levels == 3 ? 1 : 3)
      let clipped = b.node(.clip(Clip()), x, b.scalar(levels == 3 ? -1 : 0), most)
      let quantized = b.node(.elementwiseUnary(.init(function: .roundHalfToEven)), clipped)
      let window = WindowGeometry(kernel: [2, 2], padsBegin: [1, 1])
      return b.node(.pool(Pool(kind: .maximum, window: window)), quantized)
    }
  }

  @Test func `The maximum of a sign of three states`() throws {
    try check(products: 2) { x, b in
      let sign = b.sign(b.node(.elementwiseUnary(.init(function: .roundHalfToEven)), x))
      return b.node(.pool(Pool(kind: .maximum, window: WindowGeometry(kernel: [2, 2]))), sign)
    }
  }

  @Test func scaledSigns() throws {
    try check(products: 1, bias: true) { x, b in
      b.binary(.multiply, b.binary(.subtract, mask(x, above: 0, &b), b.scalar(0.5)), b.scalar(0.5))
    }
  }

  @Test func sumsOfSigns() throws {
    try check(products: 2) { x, b in
      let (s, t) = (b.sign(b.binary(.add, x, b.scalar(0.3))), mask(x, above: 1, &b))
      return b.binary(
        .add, s, b.binary(.multiply, b.scalar(2), b.binary(.subtract, t, b.scalar(0.5))))
    }
  }

  @Test func theOffsetMovesWithTheElements() throws {
    try check(products: 1, padding: 0) { x, b in
      let pool = Pool(kind: .maximum, window: WindowGeometry(kernel: [1, 1]))
      let pads = b.integers([0, 0, 1, 0, 0, 0, 0, 1])
      let pooled = b.node(.pool(pool), mask(x, above: 0, &b))
      return b.node(.pad(Pad(mode: .constant)), pooled, pads, b.scalar(0))
    }
  }

  @Test func theMaximumOfFallingBitsIsTheirMinimum() throws {
    try check(products: 1, padding: 0) { x, b in
      let pool = Pool(kind: .maximum, window: WindowGeometry(kernel: [2, 2]))
      return b.node(.pool(pool), b.binary(.subtract, b.scalar(1), mask(x, above: 0, &b)))
    }
  }

  @Test func edgesOfBitsAreBits() throws {
    try check(products: 1) { x, b in
      b.node(.pad(Pad(mode: .edge)), mask(x, above: 0, &b), b.integers([0, 0, 1, 0, 0, 0, 0, 1]))
    }
  }

  @Test func partsOfBitsAreBits() throws {
    try check(products: 1, padding: 0) { x, b in
      let parts = (0..<3).map { b.graph.addValue(Value(name: "part \($0)")) }
      b.graph.nodes.append(
        Node(
          name: "split", op: .split(Split(axis: 1, parts: 3)), inputs: [mask(x, above: 0, &b)],
          outputs: parts))
      return b.node(.concat(Concat(axis: 1)), parts[2], parts[0], parts[1])
    }
  }

  /// The convolution's own operand must be found to be a sign after the other sign has moved.
  @Test func signsThatMovedAreFound() throws {
    try check(products: 1) { x, b in
      mask(b.binary(.add, b.sign(x), b.scalar(0.5)), above: 0, &b)
    }
  }

  @Test func whereNothingIsZeroPaddingKeepsItReal() throws {
    var numbers = Numbers(seed: 12)
    var b = GraphBuilder()
    let x = b.input([3, 5, 5])
    let y = b.binary(.add, mask(x, above: 0, &b), b.scalar(1))
    let before = b.finish(
      b.convolution(y, weights: numbers.signs(54), outputs: 2, channels: 3))
    let (after, reports) = try apply(Self.passes, to: before)
    #expect(operators(after).contains("Conv"))
    let reasons = reports.flatMap(\.outcome.findings).filter {
      if case .keptFloat = $0 { true } else { false }
    }
    #expect(reasons.count == 1)
    try expectSameMeaning(
      before, after, on: Tensor(numbers.uniform(150), shape: [2, 3, 5, 5]))
  }

  // MARK: Quantizers

  /// `round(clamp((x + 1) / 2)) · 2 − 1`, whose step is not at 0.
  private func roundedSign(_ x: ValueID, _ b: inout GraphBuilder) -> ValueID {
    let half = b.binary(.divide, b.binary(.add, x, b.scalar(1)), b.scalar(2))
    let clamped = b.node(.clip(Clip()), half, b.scalar(0), b.scalar(1))
    let rounded = b.node(.elementwiseUnary(ElementwiseUnary(function: .roundHalfToEven)), clamped)
    return b.binary(.subtract, b.binary(.multiply, rounded, b.scalar(2)), b.scalar(1))
  }

  @Test func aRoundedSign() throws {
    try check(products: 1) { x, b in roundedSign(x, &b) }
  }

  @Test func theThresholdIsTheOneOfTheArithmetic() throws {
    var b = GraphBuilder()
    let x = b.input([1, 1, 8])
    let y = roundedSign(x, &b)
    let before = b.finish(b.convolution(y, weights: [1], outputs: 1, channels: 1, kernel: 1))
    let (after, reports) = try apply(Self.passes, to: before)
    // (x + 1) / 2 rounds to one half as long as 1 + x rounds to 1.
    let numbers: [Float] = [0, 1e-9, 5.9e-8, 6e-8, 1.2e-7, -1e-9, -1, 2]
    try expectSameMeaning(before, after, on: Tensor(numbers, shape: [1, 1, 1, 8]))
    guard case .sign(let sign)? = reports.flatMap(\.outcome.findings).first else {
      Issue.record("no sign was reported")
      return
    }
    #expect(sign.atZero == .minus && sign.spelling.contains("Round"))
  }

  private func levels(
    _ count: Float, _ x: ValueID, _ b: inout GraphBuilder
  ) -> ValueID {
    let step = b.scalar(2 / (count - 1))
    let shifted = b.binary(.add, b.node(.clip(Clip()), x, b.scalar(-1), b.scalar(1)), b.scalar(1))
    let rounded = b.node(
      .elementwiseUnary(ElementwiseUnary(function: .roundHalfToEven)),
      b.binary(.divide, shifted, step))
    return b.binary(.subtract, b.binary(.multiply, rounded, step), b.scalar(1))
  }

  @Test(arguments: [(3, 2), (4, 2)]) func levelsAreBits(_ levels: Int, _ products: Int) throws {
    // Thirds are rounded: FracBNN's two bits agree up to that.
    try check(products: products, tolerance: levels == 4 ? 1e-6 : 0) { x, b in
      self.levels(Float(levels), x, &b)
    }
  }

  @Test func fallingLevelsAreBits() throws {
    try check(products: 2, tolerance: 1e-6) { x, b in
      levels(4, b.binary(.multiply, x, b.scalar(-1)), &b)
    }
  }

  @Test func unequalLevelsAreSignsOfEachStep() throws {
    // 0, 1, 3: no common distance.
    try check(products: 2) { x, b in
      let second = b.binary(.multiply, mask(x, above: 1, &b), b.scalar(2))
      return b.binary(.add, mask(x, above: 0, &b), second)
    }
  }

  @Test func manyLevelsStayReal() throws {
    var numbers = Numbers(seed: 13)
    var b = GraphBuilder()
    let y = levels(16, b.input([3, 5, 5]), &b)
    let before = b.finish(
      b.convolution(y, weights: numbers.signs(54), outputs: 2, channels: 3))
    #expect(operators(try apply(Self.passes, to: before).graph).contains("Conv"))
  }
}
