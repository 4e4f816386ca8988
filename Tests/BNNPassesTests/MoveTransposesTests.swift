import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

struct MoveTransposesTests {
  private let toLast = [0, 2, 3, 1]
  private let toFirst = [0, 3, 1, 2]

  private func transpose(
    _ b: inout GraphBuilder, _ x: ValueID, _ permutation: [Int]
  ) -> ValueID {
    b.node(.transpose(Transpose(permutation: permutation)), x)
  }

  private func input(_ shape: Shape) -> Tensor {
    var numbers = Numbers(seed: 7)
    return Tensor(numbers.integers(shape.count, -4...4), shape: shape)
  }

  private func transposes(_ graph: Graph) -> Int {
    operators(graph).count { $0 == "Transpose" }
  }

  @Test func aSignBetweenConvolutionsIsTakenChannelsFirst() throws {
    var b = GraphBuilder()
    var numbers = Numbers(seed: 1)
    let x = b.convolution(
      b.input([3, 5, 4]), weights: numbers.signs(4 * 3 * 9), outputs: 4, channels: 3)
    let last = transpose(&b, x, toLast)
    let shifted = b.binary(.add, last, b.constant([1, -2, 3, 0.5], [4]))
    let sum = b.binary(.add, b.sign(shifted), b.scalar(0.1))
    let y = b.convolution(
      transpose(&b, b.sign(sum), toFirst), weights: numbers.signs(2 * 4 * 9), outputs: 2,
      channels: 4)
    let before = b.finish(y)
    let (after, _) = try apply([MoveTransposes()], to: before)
    #expect(operators(after) == ["Conv", "Add", "Sign", "Add", "Sign", "Conv"])
    try expectSameMeaning(before, after, on: input([2, 3, 5, 4]))
  }

  @Test func residualsConcatenationsAndPaddingAreMoved() throws {
    var b = GraphBuilder()
    let x = b.input([4, 5, 3])
    let first = transpose(&b, b.sign(x), toLast)
    let second = transpose(&b, b.node(.elementwiseUnary(.init(function: .relu)), x), toLast)
    let chosen = b.node(
      .select(Where()), b.node(.comparison(Comparison(kind: .greater)), first, second), first,
      b.constant([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [3, 4]))
    let joined = b.node(.concat(Concat(axis: -1)), chosen, first)
    let padded = b.node(
      .pad(Pad()), joined, b.integers([0, 1, 2, 3, 0, 2, 0, 1]), b.scalar(-1))
    let before = b.finish(transpose(&b, padded, toFirst))
    let (after, _) = try apply([MoveTransposes()], to: before)
    #expect(transposes(after) == 0)
    try expectSameMeaning(before, after, on: input([2, 4, 5, 3]))
  }

  @Test func partsAreMoved() throws {
    var b = GraphBuilder()
    let last = transpose(&b, b.sign(b.input([4, 5, 3])), toLast)
    let parts = (0..<2).map { _ in b.graph.addValue(Value(name: "part\(b.graph.values.count)")) }
    b.graph.nodes.append(
      Node(
        name: "Split", op: .split(Split(axis: -1, parts: 2)), inputs: [last], outputs: parts))
    let slice = b.node(
      .slice(Slice()), last, b.integers([1, 0]), b.integers([3, 2]), b.integers([1, -1]))
    let before = b.finish(
      transpose(&b, parts[1], toFirst), transpose(&b, slice, toFirst),
      transpose(&b, parts[0], toFirst))
    let (after, _) = try apply([MoveTransposes()], to: before)
    #expect(transposes(after) == 0)
    try expectSameMeaning(before, after, on: input([2, 4, 5, 3]))
  }

  @Test func gatesAreReshaped() throws {
    var b = GraphBuilder()
    let x = b.node(.elementwiseUnary(.init(function: .relu)), b.input([4, 5, 3]))
    let mean = b.node(
      .reduce(Reduce(kind: .mean, keepDimensions: false)), x, b.integers([2, 3]))
    let gate = b.node(.reshape(Reshape()), mean, b.integers([-1, 1, 1, 4]))
    let before = b.finish(
      transpose(&b, b.binary(.multiply, gate, transpose(&b, x, toLast)), toFirst))
    let (after, _) = try apply([MoveTransposes()], to: before)
    #expect(operators(after) == ["Relu", "ReduceMean", "Reshape", "Mul"])
    try expectSameMeaning(before, after, on: input([2, 4, 5, 3]))
  }

  @Test(arguments: [true, false], [[1, 2], [-1], [3, 1], [2]])
  func reductionsAreMoved(keeping: Bool, axes: [Int64]) throws {
    var b = GraphBuilder()
    let last = transpose(&b, b.sign(b.input([4, 5, 3])), toLast)
    let reduced = b.node(
      .reduce(Reduce(kind: .mean, keepDimensions: keeping)), last, b.integers(axes))
    let before = b.finish(reduced)
    let (after, _) = try apply([MoveTransposes()], to: before)
    // Sums over the channels and another axis would be added in another order.
    #expect(
      operators(after).prefix(2)
        == (axes == [3, 1] ? ["Sign", "Transpose"] : ["Sign", "ReduceMean"]))
    try expectSameMeaning(before, after, on: input([2, 4, 5, 3]))
  }

  @Test func aMeanOverPositionsNeedsNoTransposition() throws {
    var b = GraphBuilder()
    let last = transpose(&b, b.input([4, 5, 3]), toLast)
    let mean = b.node(
      .reduce(Reduce(kind: .mean, keepDimensions: false)), last, b.integers([1, 2]))
    let (after, _) = try apply([MoveTransposes()], to: b.finish(mean))
    #expect(operators(after) == ["ReduceMean"])
  }

  @Test func aTranspositionMovesToItsInput() throws {
    var b = GraphBuilder()
    var numbers = Numbers(seed: 2)
    let scaled = b.binary(.multiply, b.input([5, 4, 3]), b.constant([1, 2, -3], [3]))
    let y = b.convolution(
      transpose(&b, b.sign(b.binary(.subtract, b.scalar(1), scaled)), toFirst),
      weights: numbers.signs(2 * 3 * 9), outputs: 2, channels: 3)
    let before = b.finish(y)
    let (after, _) = try apply([MoveTransposes()], to: before)
    #expect(operators(after) == ["Transpose", "Mul", "Sub", "Sign", "Conv"])
    try expectSameMeaning(before, after, on: input([2, 5, 4, 3]))
  }

  @Test func whatOthersReadStaysTransposed() throws {
    var b = GraphBuilder()
    let last = transpose(&b, b.input([4, 5, 3]), toLast)
    let sign = b.sign(last)
    let before = b.finish(sign, b.sign(transpose(&b, sign, toFirst)), last)
    let (after, _) = try apply([MoveTransposes()], to: before)
    #expect(transposes(after) == 2)
    #expect(after.outputs.map { after[$0].name } == before.outputs.map { before[$0].name })
    try expectSameMeaning(before, after, on: input([2, 4, 5, 3]))
  }

  @Test func otherOrdersOfAxesStay() throws {
    for permutation in [[0, 1, 3, 2], [1, 0, 2, 3], [3, 2, 0, 1]] {
      var b = GraphBuilder()
      let sign = b.sign(
        transpose(
          &b, b.node(.elementwiseUnary(.init(function: .relu)), b.input([4, 5, 3])), permutation))
      let before = b.finish(sign)
      let (after, _) = try apply([MoveTransposes()], to: before)
      #expect(operators(after) == ["Relu", "Transpose", "Sign"])
    }
  }

  @Test func operandsInDifferentOrdersStay() throws {
    var b = GraphBuilder()
    let x = b.node(.elementwiseUnary(.init(function: .relu)), b.input([4, 4, 4]))
    let sum = b.binary(.add, transpose(&b, x, toLast), transpose(&b, x, [0, 3, 2, 1]))
    let difference = b.binary(.subtract, transpose(&b, x, toLast), x)
    let before = b.finish(sum, difference)
    let (after, _) = try apply([MoveTransposes()], to: before)
    #expect(operators(after).filter { $0 != "Transpose" } == ["Relu", "Add", "Sub"])
    try expectSameMeaning(before, after, on: input([2, 4, 4, 4]))
  }

  /// With three axes a transposition there is also one back.
  @Test func sequencesAreTakenChannelsFirst() throws {
    var b = GraphBuilder()
    let window = WindowGeometry(kernel: [3], padsBegin: [1], padsEnd: [1])
    let weights = b.constant(Numbers.signs(of: 2 * 3 * 3), [2, 3, 3])
    func convolution(_ x: ValueID, _ b: inout GraphBuilder, _ w: ValueID) -> ValueID {
      b.node(.convolution(Convolution(geometry: ConvolutionGeometry(window: window))), x, w)
    }
    let bits = b.sign(b.binary(.add, b.input([6, 3]), b.constant([0.5, -0.5, 1], [3])))
    let first = convolution(transpose(&b, bits, [0, 2, 1]), &b, weights)
    let shifted = b.binary(.add, transpose(&b, first, [0, 2, 1]), b.constant([1, -1], [2]))
    let second = convolution(
      transpose(&b, b.sign(shifted), [0, 2, 1]), &b,
      b.constant(Numbers.signs(of: 2 * 2 * 3), [2, 2, 3]))
    let before = b.finish(second)
    let (after, _) = try apply([MoveTransposes()], to: before)
    #expect(operators(after) == ["Transpose", "Add", "Sign", "Conv", "Add", "Sign", "Conv"])
    try expectSameMeaning(before, after, on: input([2, 6, 3]))
  }
}

extension Numbers {
  fileprivate static func signs(of count: Int) -> [Float] {
    var numbers = Numbers(seed: 3)
    return numbers.signs(count)
  }
}
