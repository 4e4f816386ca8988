import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

/// Numbers around zero and on both sides of the constants below.
private let numbers: [Float] = [
  0, -0.0, 1e-38, -1e-38, 1, -1, 0.5, -0.5, 0.25, -0.25, 20, -20, 1.5, -1.5, 3e7, -3e7,
]

struct ValueBoundsTests {
  /// Spellings of a function of x whose sign is 0 or 1 (never negative), −1 or 0 (never positive), or
  /// any of the three with 0 on a stretch.
  enum Spelling: String, CaseIterable {
    case relu, reluThenClip, reluThenPool, sumOfRelus, concatenatedRelus, gatedRelu, negatedPositive
    case chosen, chosenWhereLess, masked, clipped, maximum, slopeOfZero, negativeSlope, square,
      absolute
    case twoSlopes, padded
    case negatedRelu, clippedAbove, minimum
    case round, shrunk, halfOfTheChannels, hardSwish, paddedAndAdded

    var states: Set<Float> {
      switch self {
      case .negatedRelu, .clippedAbove, .minimum: [-1, 0]
      case .round, .shrunk, .halfOfTheChannels, .hardSwish, .paddedAndAdded: [-1, 0, 1]
      default: [0, 1]
      }
    }
  }

  private func value(_ spelling: Spelling, of x: ValueID, _ b: inout GraphBuilder) -> ValueID {
    func unary(_ function: PointwiseFunction, _ x: ValueID, _ b: inout GraphBuilder) -> ValueID {
      b.node(.elementwiseUnary(ElementwiseUnary(function: function)), x)
    }
    func compared(_ kind: Comparison.Kind, _ x: ValueID, _ number: Float) -> ValueID {
      b.node(.comparison(Comparison(kind: kind)), x, b.scalar(number))
    }
    func padded(_ x: ValueID, by count: Int64) -> ValueID {
      b.node(.pad(Pad()), x, b.integers([0, 0, 0, count]))
    }
    let (zero, half) = (b.scalar(0), b.scalar(0.5))
    switch spelling {
    case .relu: return unary(.relu, x, &b)
    case .reluThenClip:
      return b.node(.clip(Clip()), unary(.relu, x, &b), b.scalar(-1), b.scalar(1))
    case .reluThenPool:
      let map = b.node(.unsqueeze(Unsqueeze()), unary(.relu, x, &b), b.integers([2]))
      let pool = Pool(kind: .maximum, window: WindowGeometry(kernel: [1]))
      return b.node(.squeeze(Squeeze()), b.node(.pool(pool), map), b.integers([2]))
    case .sumOfRelus:
      return b.binary(
        .add, unary(.relu, x, &b), unary(.relu, b.binary(.subtract, x, half), &b))
    case .concatenatedRelus:
      let negated = unary(.negate, x, &b)
      return b.node(
        .concat(Concat(axis: 1)), unary(.relu, x, &b), unary(.relu, negated, &b))
    case .gatedRelu:
      return b.binary(.multiply, unary(.relu, x, &b), unary(.sigmoid, x, &b))
    case .negatedPositive:
      return unary(.negate, b.node(.clip(Clip()), x, b.scalar(-1), zero), &b)
    case .chosen:
      return b.node(.select(Where()), compared(.greater, x, 0), x, zero)
    case .chosenWhereLess:
      return b.node(.select(Where()), compared(.less, x, 0.5), zero, x)
    case .masked:
      let mask = b.node(.cast(Cast(to: .float32)), compared(.greaterOrEqual, x, 0.25))
      return b.binary(.multiply, mask, x)
    case .clipped: return b.node(.clip(Clip()), x, zero, b.scalar(6))
    case .maximum: return b.binary(.maximum, zero, x)
    case .slopeOfZero: return b.node(.pRelu(PRelu()), x, b.scalar(0))
    case .negativeSlope: return b.node(.pRelu(PRelu()), x, b.scalar(-0.5))
    case .square: return b.binary(.multiply, x, x)
    case .absolute: return unary(.absolute, x, &b)
    case .twoSlopes:
      let (rising, falling) = (
        b.binary(.multiply, half, x), b.binary(.multiply, b.scalar(-2), x)
      )
      return b.node(.select(Where()), compared(.greater, x, 0), rising, falling)
    case .padded: return padded(unary(.relu, x, &b), by: 2)
    case .negatedRelu: return unary(.negate, unary(.relu, x, &b), &b)
    case .clippedAbove: return b.node(.clip(Clip()), x, b.scalar(-3), zero)
    case .minimum: return b.binary(.minimum, x, zero)
    case .round: return unary(.roundHalfToEven, x, &b)
    case .shrunk:
      return b.node(
        .select(Where()), compared(.greater, unary(.absolute, x, &b), 0.5), x, zero)
    case .halfOfTheChannels:
      return b.node(.concat(Concat(axis: 1)), x, unary(.relu, x, &b))
    case .hardSwish: return unary(.hardSwish, x, &b)
    case .paddedAndAdded:
      let wide = b.node(.concat(Concat(axis: 1)), unary(.relu, x, &b), unary(.relu, x, &b))
      return b.binary(.add, wide, padded(x, by: 4))
    }
  }

  @Test(arguments: Spelling.allCases)
  func `A sign keeps the zeros of a value that rests there`(_ spelling: Spelling) throws {
    var b = GraphBuilder()
    let x = b.input([4])
    let before = b.finish(b.sign(value(spelling, of: x, &b)))
    let (after, reports) = try apply([CanonicalizeSigns()], to: before)
    #expect(!operators(after).contains("Sign"))
    let input = Tensor(numbers, shape: [4, 4])
    let output = try #require(try ReferenceExecutor(before).run(["x": input])[before.outputs[0]])
    #expect(Set(output.floats.map { $0 + 0 }) == spelling.states)
    try expectSameMeaning(before, after, on: input)
    guard case .sign(let sign)? = reports[0].outcome.findings.first else {
      Issue.record("no sign was reported")
      return
    }
    let expected: SignFinding.AtZero =
      spelling.states.count == 3 ? .zero : spelling.states.contains(1) ? .minus : .plus
    #expect(sign.atZero == expected)
  }

  @Test(arguments: [false, true])
  func `What meets 0 by chance has a chosen bit`(hasTwoSlopes: Bool) throws {
    var b = GraphBuilder()
    let x = b.input([4])
    func relu(_ x: ValueID) -> ValueID {
      b.node(.elementwiseUnary(ElementwiseUnary(function: .relu)), x)
    }
    let y: ValueID
    if hasTwoSlopes {
      let negated = b.node(.elementwiseUnary(ElementwiseUnary(function: .negate)), x)
      y = b.binary(.subtract, relu(x), b.binary(.multiply, b.scalar(0.25), relu(negated)))
    } else {
      let tanh = b.node(.elementwiseUnary(ElementwiseUnary(function: .tanh)), x)
      y = b.binary(.subtract, b.binary(.add, relu(x), tanh), b.scalar(0.5))
    }
    let before = b.finish(b.sign(y))
    let (after, reports) = try apply([CanonicalizeSigns()], to: before)
    #expect(operators(after).filter { $0 == "Binarize" }.count == 1)
    guard case .sign(let sign)? = reports[0].outcome.findings.first else {
      Issue.record("no sign was reported")
      return
    }
    #expect(sign.atZero == .chosenPlus)
  }

  @Test func `An estimator around a sign of three states is removed`() throws {
    var b = GraphBuilder()
    let x = b.node(.elementwiseUnary(ElementwiseUnary(function: .roundHalfToEven)), b.input([4]))
    let (s, e) = (b.sign(x), b.node(.clip(Clip()), x, b.scalar(-1), b.scalar(1)))
    let before = b.finish(b.binary(.add, b.binary(.subtract, s, e), e))
    let (after, _) = try apply([CanonicalizeSigns()], to: before)
    #expect(operators(after) == ["Round", "Binarize", "Binarize", "Add", "Mul"])
    try expectSameMeaning(before, after, on: Tensor(numbers, shape: [4, 4]))
  }
}
