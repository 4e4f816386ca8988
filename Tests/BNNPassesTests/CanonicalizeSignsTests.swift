import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

/// Numbers around zero, at which spellings of a sign differ.
private let delicate: [Float] = [
  0, -0.0, 1e-38, -1e-38, 0x1p-149, -0x1p-149, 1, -1, 0.5, -0.5, 20, -20, 1e-9, -1e-9, 3e7, -3e7,
]

struct CanonicalizeSignsTests {
  enum Spelling: String, CaseIterable {
    case whereGreaterOrEqual, whereGreater, whereLess, whereLessOrEqual, notLess, castMul
    case oneMinusTwice, castSubtractHalf, signTwice, replaceZero
  }

  private func graph(_ spelling: Spelling) -> Graph {
    var b = GraphBuilder()
    let x = b.input([4])
    let (zero, one, minus, two) = (b.scalar(0), b.scalar(1), b.scalar(-1), b.scalar(2))
    func compare(_ kind: Comparison.Kind) -> ValueID {
      b.node(.comparison(Comparison(kind: kind)), x, zero)
    }
    func select(_ condition: ValueID, _ a: ValueID, _ c: ValueID) -> ValueID {
      b.node(.select(Where()), condition, a, c)
    }
    func cast(_ x: ValueID) -> ValueID { b.node(.cast(Cast(to: .float32)), x) }
    let y: ValueID
    switch spelling {
    case .whereGreaterOrEqual: y = select(compare(.greaterOrEqual), one, minus)
    case .whereGreater: y = select(compare(.greater), one, minus)
    case .whereLess: y = select(compare(.less), minus, one)
    case .whereLessOrEqual: y = select(compare(.lessOrEqual), minus, one)
    case .notLess:
      y = select(b.node(.logical(Logical(kind: .not)), compare(.less)), one, minus)
    case .castMul: y = b.binary(.subtract, b.binary(.multiply, cast(compare(.greater)), two), one)
    case .oneMinusTwice:
      y = b.binary(.subtract, one, b.binary(.multiply, cast(compare(.less)), two))
    case .castSubtractHalf:
      y = b.binary(.multiply, b.binary(.subtract, cast(compare(.greater)), b.scalar(0.5)), two)
    case .signTwice: y = b.sign(b.binary(.add, b.sign(x), b.scalar(0.5)))
    case .replaceZero:
      let sign = b.sign(x)
      y = select(b.node(.comparison(Comparison(kind: .equal)), sign, zero), one, sign)
    }
    return b.finish(y)
  }

  @Test(arguments: Spelling.allCases)
  func everySpellingBecomesOneThreshold(_ spelling: Spelling) throws {
    let before = graph(spelling)
    let (after, reports) = try apply([CanonicalizeSigns()], to: before)
    #expect(operators(after) == ["Binarize"])
    let input = Tensor(delicate, shape: [4, 4])
    try expectSameMeaning(before, after, on: input)
    let expected: SignFinding.AtZero =
      [.whereGreater, .castMul, .castSubtractHalf, .whereLessOrEqual].contains(spelling)
      ? .minus : .plus
    guard case .sign(let sign) = reports[0].outcome.findings.first else {
      Issue.record("no sign was reported")
      return
    }
    #expect(sign.atZero == expected)
    #expect(reports[0].outcome.findings.count == 1)
  }

  @Test func notANumberBecomesWhatTheSpellingMakesOfIt() throws {
    for spelling in Spelling.allCases where spelling != .signTwice && spelling != .replaceZero {
      let before = graph(spelling)
      let (after, _) = try apply([CanonicalizeSigns()], to: before)
      try expectSameMeaning(
        before, after, on: Tensor([Float.nan, .infinity, -.infinity, 1], shape: [1, 4]))
    }
  }

  @Test(arguments: SignOfZero.allCases)
  func theOptionDecidesForAPlainSign(_ choice: SignOfZero) throws {
    var b = GraphBuilder()
    let x = b.input([3])
    let before = b.finish(b.sign(x))
    let (after, reports) = try apply([CanonicalizeSigns(signOfZero: choice)], to: before)
    let result = try ReferenceExecutor(after).run([
      "x": Tensor([Float(0), -0.0, .nan], shape: [1, 3])
    ])
    let bit: Float = choice == .plus ? 1 : -1
    #expect(result[after.outputs[0]]?.floats == [bit, bit, -1])
    let finding = SignFinding(
      node: "Sign_0", spelling: "Sign", atZero: choice == .plus ? .chosenPlus : .chosenMinus)
    #expect(reports[0].outcome.findings == [.sign(finding)])
  }

  @Test func aThresholdPerChannelIsKept() throws {
    var b = GraphBuilder()
    let x = b.input([3])
    let t = b.constant([0.25, -1, 7], [3])
    let condition = b.node(.comparison(Comparison(kind: .greaterOrEqual)), x, t)
    let before = b.finish(b.node(.select(Where()), condition, b.scalar(1), b.scalar(-1)))
    let (after, _) = try apply([CanonicalizeSigns()], to: before)
    #expect(operators(after) == ["Binarize"])
    let input = Tensor(
      [0.25, -1, 7, Float(0.25).nextDown, Float(-1).nextDown, Float(7).nextDown], shape: [2, 3])
    try expectSameMeaning(before, after, on: input)
  }

  @Test func aScaledSignKeepsItsScale() throws {
    var b = GraphBuilder()
    let x = b.input([4])
    let condition = b.node(.comparison(Comparison(kind: .greater)), x, b.scalar(0))
    let before = b.finish(b.node(.select(Where()), condition, b.scalar(0.3), b.scalar(-0.3)))
    let (after, _) = try apply([CanonicalizeSigns()], to: before)
    #expect(operators(after) == ["Binarize", "Mul"])
    try expectSameMeaning(before, after, on: Tensor(delicate, shape: [4, 4]))
  }

  @Test func theArithmeticOfEstimatorsGoes() throws {
    var b = GraphBuilder()
    let x = b.input([4])
    let s = b.sign(x)
    let e = b.node(.clip(Clip()), x, b.scalar(-1), b.scalar(1))
    let before = b.finish(b.binary(.add, b.binary(.subtract, s, e), e))
    let (after, _) = try apply([CanonicalizeSigns()], to: before)
    #expect(operators(after) == ["Binarize"])
    try expectSameMeaning(
      before, after, on: Tensor(delicate.filter { abs($0) > 1e-8 }, shape: [2, 4]))
  }

  @Test func zeroAndOneAreASignTimesAHalfPlusAHalf() throws {
    var b = GraphBuilder()
    let x = b.input([4])
    let isPlus = b.node(.comparison(Comparison(kind: .greater)), x, b.scalar(0))
    let compared = b.finish(b.node(.cast(Cast(to: .float32)), isPlus))
    b = GraphBuilder()
    let relu = b.node(.elementwiseUnary(ElementwiseUnary(function: .relu)), b.input([4]))
    let positive = b.finish(b.sign(relu))
    for before in [compared, positive] {
      let (after, reports) = try apply([CanonicalizeSigns()], to: before)
      #expect(operators(after).suffix(3) == ["Binarize", "Mul", "Add"])
      try expectSameMeaning(before, after, on: Tensor(delicate, shape: [4, 4]))
      guard case .sign(let sign)? = reports[0].outcome.findings.first else {
        Issue.record("no sign was reported")
        continue
      }
      #expect(sign.atZero == .minus)
    }
  }

  @Test func aMaskAndItsComplementShareOneSign() throws {
    // FracBNN's gate: (1 − m)·a + m·b.
    var b = GraphBuilder()
    let (x, y) = (b.input([4]), b.input([4], name: "y"))
    let test = b.node(.comparison(Comparison(kind: .greater)), x, b.scalar(0.5))
    let mask = b.node(.cast(Cast(to: .float32)), test)
    let rest = b.binary(.multiply, b.binary(.subtract, b.scalar(1), mask), x)
    let before = b.finish(b.binary(.add, rest, b.binary(.multiply, mask, y)))
    let (after, _) = try apply([CanonicalizeSigns()], to: before)
    #expect(operators(after).filter { $0 == "Binarize" }.count == 1)
    let inputs = [
      "x": Tensor([Float(0.5), 0.75, -1, 2], shape: [1, 4]),
      "y": Tensor([Float(3), 4, 5, 6], shape: [1, 4]),
    ]
    let result = try ReferenceExecutor(after).run(inputs)
    #expect(result[after.outputs[0]]?.floats == [0.5, 4, -1, 6])
  }

  @Test func threeStatesAreLeftAlone() throws {
    var b = GraphBuilder()
    let x = b.input([4])
    let s = b.sign(x)
    // −1, 0.25 and 1: no sign has a number between its two.
    let isZero = b.node(.comparison(Comparison(kind: .equal)), s, b.scalar(0))
    let before = b.finish(b.node(.select(Where()), isZero, b.scalar(0.25), s))
    #expect(try apply([CanonicalizeSigns()], to: before).graph == apply([], to: before).graph)
  }
}

/// Signs that are computed from several comparisons of one value.
struct SeveralComparisonsTests {
  private func test(_ kind: Comparison.Kind, _ x: ValueID, _ bound: Float, _ b: inout GraphBuilder)
    -> ValueID
  {
    b.node(.comparison(Comparison(kind: kind)), x, b.scalar(bound))
  }

  private func check(
    _ operators: [String], atZero: SignFinding.AtZero,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ build: (ValueID, inout GraphBuilder) -> ValueID
  ) throws {
    var b = GraphBuilder()
    let x = b.input([4])
    let before = b.finish(build(x, &b))
    let (after, reports) = try apply([CanonicalizeSigns()], to: before)
    #expect(BNNPassesTests.operators(after) == operators, sourceLocation: sourceLocation)
    let input = Tensor(delicate.filter { abs($0) > 1e-8 || $0 == 0 } + [9, -9], shape: [3, 4])
    try expectSameMeaning(before, after, on: input, sourceLocation: sourceLocation)
    guard case .sign(let sign)? = reports[0].outcome.findings.first else {
      Issue.record("no sign was reported", sourceLocation: sourceLocation)
      return
    }
    #expect(sign.atZero == atZero, sourceLocation: sourceLocation)
  }

  @Test func nestedChoices() throws {
    try check(["Binarize"], atZero: .plus) { x, b in
      let inner = b.node(.select(Where()), test(.less, x, 0, &b), b.scalar(-1), b.scalar(1))
      return b.node(.select(Where()), test(.greater, x, 0, &b), b.scalar(1), inner)
    }
  }

  @Test func eitherOfTwo() throws {
    try check(["Binarize", "Mul"], atZero: .plus) { x, b in
      let either = b.node(
        .logical(Logical(kind: .or)), test(.greater, x, 0, &b), test(.equal, x, 0, &b))
      return b.node(.select(Where()), either, b.scalar(0.5), b.scalar(-0.5))
    }
  }

  @Test func insideAnInterval() throws {
    try check(["Binarize"], atZero: .plus) { x, b in
      let both = b.node(
        .logical(Logical(kind: .and)), test(.greater, x, -1, &b), test(.lessOrEqual, x, 0.5, &b))
      return b.node(.select(Where()), both, b.scalar(1), b.scalar(-1))
    }
  }

  @Test func theEstimatorOfSuchASign() throws {
    try check(["Binarize"], atZero: .plus) { x, b in
      let inner = b.node(.select(Where()), test(.less, x, 0, &b), b.scalar(-1), b.scalar(1))
      let s = b.node(.select(Where()), test(.greater, x, 0, &b), b.scalar(1), inner)
      let e = b.node(.clip(Clip()), x, b.scalar(-1), b.scalar(1))
      return b.binary(.add, b.binary(.subtract, s, e), e)
    }
  }
}
