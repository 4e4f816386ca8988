import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

/// The numbers that storage leaves.
struct RoundNumbersTests {
  /// A real convolution with a normalization and a PReLU, then a dense layer.
  private func network(scale: Float = 1) -> Graph {
    var numbers = Numbers(seed: 1)
    var b = GraphBuilder()
    let x = b.input([3, 5, 5])
    let y = b.convolution(
      x, weights: numbers.uniform(8 * 3 * 9).map { $0 * scale }, outputs: 8, channels: 3)
    let n = b.normalization(
      y, gamma: numbers.uniform(8), beta: numbers.uniform(8), mean: numbers.uniform(8),
      variance: numbers.uniform(8, 0.5...2))
    let p = b.node(.pRelu(PRelu()), n, b.constant(numbers.uniform(8, 0...1), [8, 1, 1]))
    return b.finish(p)
  }

  private func finished(_ storage: StorageOptions, scale: Float = 1) throws -> (
    before: Graph, after: Graph, outcome: PassOutcome
  ) {
    var graph = network(scale: scale)
    try PassPipeline.standard().run(on: &graph)
    var after = graph
    let reports = try PassPipeline([RoundNumbers(storage)]).run(on: &after)
    return (graph, after, reports[0].outcome)
  }

  private func block(_ graph: Graph) throws -> (weights: [Float], lists: [[Float]]) {
    let node = try #require(
      graph.nodes.first { node in
        if case .block = node.op { true } else { false }
      })
    guard case .block(let block) = node.op else { return ([], []) }
    let lists = block.epilogue.steps.flatMap { step -> [[Float]] in
      switch step {
      case .affine(let a, let b), .slopes(let a, let b): [a, b]
      default: []
      }
    }
    return (graph[try #require(node.input(1))].constant?.floats ?? [], lists)
  }

  @Test(arguments: [(FloatStorage.float16, Float(0x1p-11)), (.bfloat16, 0x1p-8)])
  func floatsAreRoundedToTheNearest(_ storage: FloatStorage, _ error: Float) throws {
    let (before, after, outcome) = try finished(.init(weights: storage))
    let (old, new) = (try block(before), try block(after))
    #expect(old.lists == new.lists)
    #expect(old.weights != new.weights)
    let type: ElementType = storage == .float16 ? .float16 : .bfloat16
    for (a, b) in zip(old.weights, new.weights) {
      #expect((a - b).magnitude <= error * a.magnitude)
      #expect(b.rounded(to: type) == b)
    }
    #expect(outcome.rewrites.count == 1 && outcome.findings.isEmpty)
  }

  @Test func bytesAreMultiplesOfOneScalePerOutput() throws {
    let (before, after, _) = try finished(.init(weights: .int8))
    let (old, new) = (try block(before).weights, try block(after).weights)
    for row in 0..<8 {
      let range = row * 27..<(row + 1) * 27
      let scale = (old[range].map(\.magnitude).max() ?? 0) / 127
      for index in range {
        #expect((old[index] - new[index]).magnitude <= scale * 0.5001)
        #expect(new[index] == (old[index] / scale).rounded(.toNearestOrEven) * scale)
      }
    }
  }

  @Test func vectorsAreRoundedAlone() throws {
    let (before, after, _) = try finished(.init(vectors: .float16))
    let (old, new) = (try block(before), try block(after))
    #expect(old.weights == new.weights)
    #expect(old.lists != new.lists)
    for list in new.lists { #expect(list.allSatisfy { $0.rounded(to: .float16) == $0 }) }
  }

  @Test(arguments: [Float(1e6), 1e-7])
  func whatAStorageCannotHoldStays(_ scale: Float) throws {
    let (before, after, outcome) = try finished(.init(weights: .float16), scale: scale)
    #expect(try block(before).weights == block(after).weights)
    guard case .notRounded(_, .float16)? = outcome.findings.first else {
      Issue.record("no finding")
      return
    }
    #expect(try finished(.init(weights: .bfloat16), scale: scale).outcome.findings.isEmpty)
    #expect(try finished(.init(weights: .int8), scale: scale).outcome.findings.isEmpty)
  }

  @Test func layersAreChosenByName() throws {
    let (before, after, outcome) = try finished(
      .init(weights: .int8, layers: [try LayerStorage(argument: "Conv=float32")]))
    #expect(try block(before).weights == block(after).weights)
    #expect(outcome.rewrites.isEmpty)
  }

  /// An interval that begins just above 0 does not begin to hold 0.
  @Test func thresholdsAreRoundedInwards() throws {
    var b = GraphBuilder()
    let x = b.input([2, 3, 3])
    let thresholds = Thresholds<Float>(
      lower: [.leastNonzeroMagnitude, 0.1], upper: [.infinity, 1.7], insideIsPlus: [true, true])
    b.graph.nodes.append(
      Node(
        name: "signs",
        op: .block(Block(core: .pointwise, epilogue: Epilogue(output: .bits(thresholds)))),
        inputs: [x], outputs: [b.graph.addValue(Value(name: "y"))]))
    var graph = b.finish(b.graph.nodes[0].outputs[0])
    try PassPipeline([RoundNumbers(.init(vectors: .float16))]).run(on: &graph)
    guard case .block(let block) = graph.nodes[0].op, case .bits(let found) = block.epilogue.output
    else { return }
    #expect(found.lower[0] > 0 && found.lower[0] <= 0x1p-24)
    #expect(found.lower[1] >= 0.1 && found.lower[1] < 0.1001)
    #expect(found.upper == [.infinity, found.upper[1]])
    #expect(found.upper[1] <= 1.7 && found.upper[1] > 1.698)
    for bound in found.lower + found.upper { #expect(bound.rounded(to: .float16) == bound) }
  }
}
