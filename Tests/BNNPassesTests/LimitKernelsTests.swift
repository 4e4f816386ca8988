import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

/// Codebooks of few kernels.
struct LimitKernelsTests {
  /// Two binary convolutions; the kernels of the first come from `kernels` with noise.
  private func network(_ seed: UInt64, channels: Int = 16, groups: Int = 1) throws -> Graph {
    var numbers = Numbers(seed: seed)
    var b = GraphBuilder()
    let x = b.input([channels, 6, 6])
    var y = x
    for _ in 0..<2 {
      y = b.convolution(
        b.sign(y), weights: numbers.signs(channels * channels / groups * 9), outputs: channels,
        channels: channels, groups: groups)
      y = b.normalization(
        y, gamma: numbers.uniform(channels, 0.1...2), beta: numbers.uniform(channels),
        mean: numbers.uniform(channels), variance: numbers.uniform(channels, 0.5...2))
    }
    var graph = b.finish(y)
    try PassPipeline.standard().run(on: &graph)
    return graph
  }

  private func kernels(_ graph: Graph) -> [PackedKernels] {
    graph.nodes.compactMap { node in
      node.input(1).flatMap { graph[$0].constant?.packed }.flatMap { PackedKernels($0) }
    }
  }

  @Test(arguments: [(1, 1), (4, 1), (32, 1), (8, 4)])
  func layersHaveAtMostSoManyKernels(_ limit: Int, _ groups: Int) throws {
    let before = try network(3, groups: groups)
    var graph = before
    let reports = try PassPipeline([LimitKernels(.init(kernels: .most(limit)))]).run(on: &graph)
    let (old, new) = (kernels(before), kernels(graph))
    #expect(new.count == 2)
    for (a, b) in zip(old, new) {
      #expect(b.distinct <= limit && a.distinct > limit)
      #expect(a.shape == b.shape)
    }
    let findings = reports[0].outcome.findings
    #expect(findings.count == 2)
    for finding in findings {
      guard case .limitedKernels(let kernels) = finding else { continue }
      #expect(kernels.after <= limit)
      #expect(kernels.changedWeights > 0 && kernels.changedWeights <= 0.5)
      // Four times the part of the weights, where outputs weigh alike.
      #expect(kernels.error > 0)
    }
  }

  @Test func layersWithFewKernelsStay() throws {
    var graph = try network(5)
    try PassPipeline([LimitKernels(.init(kernels: .most(8)))]).run(on: &graph)
    let once = graph
    let reports = try PassPipeline([LimitKernels(.init(kernels: .most(8)))]).run(on: &graph)
    #expect(reports[0].outcome.rewrites.isEmpty)
    #expect(kernels(once).map(\.kernels) == kernels(graph).map(\.kernels))
  }

  @Test func kernelsArePackedAndUnpacked() throws {
    var numbers = Numbers(seed: 9)
    let signs = numbers.signs(5 * 9 * 7)
    let packed = PackedTensor(shape: [5, 3, 3, 7]) { signs[$0] > 0 }
    let kernels = try #require(PackedKernels(packed))
    #expect(kernels.packed == packed)
    #expect(kernels.kernels[7 * 2 + 3] >> 4 & 1 == (packed[(2 * 9 + 4) * 7 + 3] ? 1 : 0))
    #expect(PackedKernels(PackedTensor(shape: [5, 1, 1, 7]) { _ in true }) == nil)
  }

  /// The result is at least as good as the most frequent kernels, and as brute force where that is
  /// possible.
  @Test(arguments: 0..<6)
  func codebooksAreNoWorseThanTheMostFrequentKernels(_ seed: UInt64) {
    var numbers = Numbers(seed: seed)
    var weights = [Double](repeating: 0, count: 512)
    for number in numbers.uniform(60, 0...512) { weights[min(Int(number), 511)] += Double(number) }
    let distance = KernelDistance.independent
    func cost(_ codebook: [Int]) -> Double {
      weights.indices.reduce(0) {
        weights[$1] == 0
          ? $0 : $0 + weights[$1] * Double(distance($1, distance.nearest(to: $1, in: codebook)))
      }
    }
    for limit in [1, 2, 5, 16] {
      let found = KernelCodebook(weights: weights, limit: limit, distance: distance).kernels
      let frequent = weights.indices.sorted { (-weights[$0], $0) < (-weights[$1], $1) }
      #expect(found.count == limit)
      #expect(cost(found) <= cost(Array(frequent.prefix(limit))) * 1.000001)
      guard limit == 1 else { continue }
      let best = (0..<512).map { cost([$0]) }.min() ?? 0
      #expect(cost(found) <= best * 1.000001)
    }
  }

  @Test func theDistanceIsTheSquareOfTheSumsChange() {
    var numbers = Numbers(seed: 4)
    let x = numbers.signs(9)
    let moments = (0..<81).map { x[$0 / 9] * x[$0 % 9] }
    let distance = KernelDistance(moments: moments)
    for (a, b) in [(0, 511), (37, 290), (5, 5), (100, 101)] {
      let sum = { (kernel: Int) in
        (0..<9).reduce(Float(0)) { $0 + (kernel >> $1 & 1 == 1 ? x[$1] : -x[$1]) }
      }
      let change = sum(a) - sum(b)
      #expect(distance(a, b) == change * change)
    }
    #expect(KernelDistance.independent(3, 0) == 8)
  }

  /// With calibration the change of the sums counts, and becomes smaller on such inputs.
  @Test func calibrationLowersTheErrorOnItsInputs() throws {
    let before = try network(11)
    var numbers = Numbers(seed: 12)
    // Rows of equal numbers: the taps of a column are not independent.
    let rows = numbers.uniform(4 * 16 * 6)
    let x = Tensor((0..<4 * 16 * 36).map { rows[$0 / 6] }, shape: [4, 16, 6, 6])
    let runs = (0..<4).map { index in
      ["x": Tensor(Array(x.floats[index * 576..<(index + 1) * 576]), shape: [1, 16, 6, 6])]
    }
    func error(_ calibration: [[String: Tensor]]) throws -> (Double, Double) {
      var graph = before
      let reports = try PassPipeline([
        LimitKernels(.init(kernels: .most(8)), calibration: calibration)
      ]).run(on: &graph)
      guard case .limitedKernels(let first)? = reports[0].outcome.findings.first else {
        return (0, 0)
      }
      let sums = try [before, graph].map { graph in
        let id = graph.nodes[1].outputs[0]
        return try runs.map {
          try ReferenceExecutor(graph).run($0, keeping: [id])[id]?.floats ?? []
        }
        .flatMap { $0 }
      }
      let change = zip(sums[0], sums[1]).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      return (first.error, change)
    }
    let (_, blind) = try error([])
    let (reported, seeing) = try error(runs)
    #expect(reported > 0 && reported.isFinite)
    #expect(seeing < blind)
  }
}
