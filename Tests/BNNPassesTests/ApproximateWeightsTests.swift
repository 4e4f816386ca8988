import BNNGraph
import BNNTensor
import Testing

@testable import BNNPasses

/// The pass, on graphs.
struct ApproximateWeightsTests {
  private func pass(
    _ argument: String, binarizesInputs: Bool = false, on runs: [Tensor] = []
  ) throws -> ApproximateWeights {
    ApproximateWeights(
      choices: [try BinarizationChoice(argument: argument)], binarizesInputs: binarizesInputs,
      calibration: runs.map { ["x": $0] })
  }

  private func images(_ count: Int, channels: Int, seed: UInt64 = 2) -> Tensor {
    var numbers = Numbers(seed: seed)
    let elements = numbers.uniform(count * channels * 25, -1...1).map { max($0, -0.25) }
    return Tensor(elements, shape: [count, channels, 5, 5])
  }

  /// Two convolutions with something between, as in a float CNN.
  private func network(groups: Int = 1, seed: UInt64 = 1) -> Graph {
    var numbers = Numbers(seed: seed)
    var b = GraphBuilder()
    let x = b.input([4, 5, 5])
    let bias = b.constant(numbers.uniform(8), [8])
    let first = b.convolution(
      x, weights: numbers.uniform(8 * 4 / groups * 9, -1...0.8), outputs: 8, channels: 4,
      groups: groups, bias: bias)
    let relu = b.node(.elementwiseUnary(ElementwiseUnary(function: .relu)), first)
    return b.finish(
      b.convolution(relu, weights: numbers.uniform(8 * 8 * 9), outputs: 8, channels: 8))
  }

  private func binarized(_ reports: [PassReport]) -> [BinarizationFinding] {
    reports.flatMap(\.outcome.findings).compactMap { finding in
      if case .binarized(let layer) = finding { layer } else { nil }
    }
  }

  private func reasons(_ reports: [PassReport]) -> [String] {
    reports.flatMap(\.outcome.findings).compactMap { finding in
      if case .notBinarized(_, let reason) = finding { reason } else { nil }
    }
  }

  /// ‖difference of the outputs‖² as a part of the outputs'.
  private func outputError(_ before: Graph, _ after: Graph, on tensor: Tensor) throws -> Double {
    let expected = try ReferenceExecutor(before).run(["x": tensor])
    let found = try ReferenceExecutor(after).run(["x": tensor])
    let x = try #require(expected[before.outputs[0]]).floats
    let y = try #require(found[after.outputs[0]]).floats
    let error = zip(x, y).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    return error / x.reduce(0) { $0 + Double($1) * Double($1) }
  }

  /// Every method's layers are what `binarize-weights` makes bits of, in one group, in several and
  /// one channel at a time.
  @Test(arguments: BinarizationMethod.all, [1, 2, 4])
  func weightsBecomeSigns(_ method: BinarizationMethod, _ groups: Int) throws {
    let before = network(groups: groups)
    let data = [images(6, channels: 4)]
    let (replaced, reports) = try apply([try pass(".=\(method)", on: data)], to: before)
    let found = binarized(reports)
    #expect(found.map(\.method) == [method, method])
    for layer in found {
      #expect(layer.after <= layer.before && layer.after >= 0 && layer.after < 2)
      #expect(layer.objective == (method.needsCalibration ? .outputError : .weightError))
    }
    let (after, later) = try apply([BinarizeWeights(), PackBits()], to: replaced)
    try expectSameMeaning(replaced, after, on: images(2, channels: 4, seed: 5), tolerance: 1e-5)
    for node in after.nodes {
      guard case .convolution = node.op else { continue }
      #expect(after.constant(node.input(1))?.elementType == .sign)
    }
    let kept = later.flatMap(\.outcome.findings).filter {
      if case .keptFloat(_, let reason) = $0 { !reason.contains("its input is") } else { false }
    }
    #expect(kept.isEmpty)
  }

  /// What is reported is what an evaluation finds.
  @Test(arguments: ["xnor", "least-squares", "qubo", "bilinear"])
  func reportedErrorsAreReal(_ method: String) throws {
    let before = network()
    let data = images(40, channels: 4)
    let (after, reports) = try apply([try pass("Conv_2=\(method)", on: [data])], to: before)
    let found = try #require(binarized(reports).first)
    let error = try outputError(before, after, on: data)
    // Without the small part of the weights' own error, and on all positions.
    if method != "xnor" { #expect(abs(found.after - error) < 0.02) }
    let (scaled, _) = try apply([try pass("Conv_2=xnor")], to: before)
    #expect(try error <= outputError(before, scaled, on: data) * (1 + 1e-6))
  }

  @Test func moreThoroughMethodsAreBetter() throws {
    let before = network()
    let data = images(60, channels: 4)
    let errors = try ["xnor", "least-squares", "bilinear", "qubo"].map { method in
      try outputError(
        before, apply([try pass("Conv_2=\(method)", on: [data])], to: before).graph, on: data)
    }
    #expect(errors[1] < errors[0] && errors[2] < errors[1] && errors[3] < errors[1])
  }

  /// A later layer is fitted to what the earlier ones have become.
  @Test func layersAreFittedInTheirOrder() throws {
    let before = network()
    let data = images(60, channels: 4)
    let together = try apply([try pass(".=qubo", on: [data])], to: before).graph
    let first = try apply([try pass("Conv_0=qubo", on: [data])], to: before).graph
    // Fitted to the real first layer instead.
    var apart = first
    let second = try apply([try pass("Conv_2=qubo", on: [data])], to: before).graph
    let weights = try #require(second.nodes.last?.input(1).flatMap { second[$0].constant })
    let place = try #require(apart.nodes.last?.input(1))
    apart[place].constant = weights
    #expect(
      try outputError(before, together, on: data) < outputError(before, apart, on: data))
  }

  @Test(arguments: ["sign", "xnor", "general", "residual:2", "least-squares", "qubo"], [1, 4])
  func inputsBecomeSignsToo(_ method: String, _ groups: Int) throws {
    let before = network(groups: groups)
    let data = images(60, channels: 4)
    let (after, reports) = try apply(
      [try pass(".=\(method)", binarizesInputs: true, on: [data])], to: before)
    let found = binarized(reports)
    #expect(found.count == 2 && found.allSatisfy { $0.binarizedInputs })
    #expect(found.allSatisfy { $0.objective == .outputError && $0.after < 1 })
    if BinarizationMethod(method)?.needsCalibration == true {
      #expect(found.allSatisfy { $0.after <= $0.before })
    }
    let binarize = after.nodes.compactMap { node -> Binarize? in
      if case .binarize(let binarize) = node.op { binarize } else { nil }
    }
    #expect(binarize.map(\.thresholds.count) == [4, 8])
    // Far from exact, but no bias and no scale is left out.
    #expect(try outputError(before, after, on: data) < 0.9)
    let (packed, _) = try apply([BinarizeWeights(), PackBits()], to: after)
    #expect(operators(packed).contains("BinaryConvolution"))
    #expect(!operators(packed).contains("Conv"))
  }

  @Test func inputsThatAreSignsStay() throws {
    var numbers = Numbers(seed: 4)
    var b = GraphBuilder()
    let s = b.node(.binarize(Binarize(thresholds: .zeroIsPlus)), b.input([4, 5, 5]))
    let before = b.finish(
      b.convolution(s, weights: numbers.uniform(8 * 4 * 9), outputs: 8, channels: 4))
    let data = images(20, channels: 4)
    let (after, reports) = try apply(
      [try pass("Conv=qubo", binarizesInputs: true, on: [data])], to: before)
    #expect(operators(after) == ["Binarize", "Conv"])
    let found = try #require(binarized(reports).first)
    #expect(!found.binarizedInputs)
    #expect(abs(found.after - (try outputError(before, after, on: data))) < 0.02)
  }

  @Test func denseLayers() throws {
    var numbers = Numbers(seed: 6)
    var b = GraphBuilder()
    let x = b.input([12])
    let w = b.constant(numbers.uniform(60), [12, 5])
    let before = b.finish(b.node(.matMul(MatMul()), x, w))
    let data = Tensor(numbers.uniform(12 * 50), shape: [50, 12])
    let canonical = try apply([CanonicalizeProducts()], to: before).graph
    for method in BinarizationMethod.all {
      let (after, reports) = try apply([try pass("MatMul=\(method)", on: [data])], to: canonical)
      #expect(binarized(reports).count == 1)
      #expect(try outputError(before, after, on: data) < 2)
    }
  }

  @Test func sharedWeightsAreFittedTwice() throws {
    var numbers = Numbers(seed: 7)
    var b = GraphBuilder()
    let x = b.input([4, 5, 5])
    let w = b.constant(numbers.uniform(4 * 4 * 9), [4, 4, 3, 3])
    let window = WindowGeometry(kernel: [3, 3], padsBegin: [1, 1], padsEnd: [1, 1])
    let op = Op.convolution(Convolution(geometry: ConvolutionGeometry(window: window)))
    let first = b.node(op, x, w)
    let before = b.finish(b.node(op, first, w))
    // One of them stays real.
    let (one, reports) = try apply([try pass("Conv_1=xnor")], to: before)
    #expect(binarized(reports).map(\.node) == ["Conv_1"])
    #expect(one.constant(one.nodes[0].input(1)) == before.constant(w))
    let data = images(20, channels: 4)
    let (both, _) = try apply([try pass(".=qubo", on: [data])], to: before)
    #expect(both.nodes.count == 2)
    let weights = both.nodes.map { both.constant($0.input(1)) }
    #expect(weights[0] != weights[1])
  }

  @Test func weightsThatCannotBeBinarizedStay() throws {
    var numbers = Numbers(seed: 8)
    for (bad, reason) in [(Float.nan, "finite"), (.infinity, "finite"), (0, "")] {
      var weights = numbers.uniform(8 * 4 * 9)
      weights[11] = bad
      var b = GraphBuilder()
      let x = b.input([4, 5, 5])
      let before = try apply(
        [], to: b.finish(b.convolution(x, weights: weights, outputs: 8, channels: 4))
      ).graph
      let (after, reports) = try apply([try pass("Conv")], to: before)
      #expect(binarized(reports).count == (reason.isEmpty ? 1 : 0))
      #expect(reasons(reports).allSatisfy { $0.contains(reason) })
      #expect((after == before) == !reason.isEmpty)
    }
    var b = GraphBuilder()
    let x = b.input([4, 5, 5])
    let signs = numbers.signs(8 * 4 * 9, scale: 0.5)
    let before = try apply(
      [], to: b.finish(b.convolution(x, weights: signs, outputs: 8, channels: 4))
    ).graph
    let (after, reports) = try apply([try pass("Conv=qubo")], to: before)
    #expect(after == before && reasons(reports) == ["its weights are binary already"])
  }

  @Test func dataThatAreNotFiniteLeaveALayerReal() throws {
    let before = try apply([], to: network()).graph
    var elements = images(2, channels: 4).floats
    elements[3] = .nan
    let data = Tensor(elements, shape: [2, 4, 5, 5])
    for binarizesInputs in [false, true] {
      let (after, reports) = try apply(
        [try pass("Conv_0=qubo", binarizesInputs: binarizesInputs, on: [data])], to: before)
      #expect(after == before)
      #expect(reasons(reports).count == 1 && reasons(reports)[0].contains("not finite"))
    }
  }

  @Test func inputsOfZerosAndOfOneValue() throws {
    let before = network()
    for value in [Float(0), 3] {
      let data = Tensor([Float](repeating: value, count: 300), shape: [3, 4, 5, 5])
      for binarizesInputs in [false, true] {
        let (after, reports) = try apply(
          [try pass(".=qubo", binarizesInputs: binarizesInputs, on: [data])], to: before)
        #expect(binarized(reports).count == 2)
        let result = try ReferenceExecutor(after).run(["x": data])
        #expect(result[after.outputs[0]]?.floats.allSatisfy(\.isFinite) == true)
      }
    }
  }

  @Test func theFirstMatchDecides() throws {
    let choices = try ["Conv_2=sign", "Conv=xnor", "dense"].map {
      try BinarizationChoice(argument: $0)
    }
    let (_, reports) = try apply([ApproximateWeights(choices: choices)], to: network())
    #expect(binarized(reports).map(\.method) == [.xnor, .sign])
    let unmatched = reports.flatMap(\.outcome.findings).filter {
      if case .unmatched = $0 { true } else { false }
    }
    #expect(unmatched == [.unmatched(.matching("dense"), candidates: ["Conv_0", "Conv_2"])])
  }

  /// Strides, dilations, uneven padding: the sampled inputs times the weights are the outputs.
  @Test(arguments: 1...12)
  func samplesAreWhatTheLayerReads(_ seed: Int) throws {
    var numbers = Numbers(seed: UInt64(seed))
    let groups = [1, 2, 4][seed % 3]
    let window = WindowGeometry(
      kernel: [3, 2], strides: [1 + seed % 2, 2], dilations: [1, 1 + seed % 3],
      padsBegin: [1, 0], padsEnd: [0, 2])
    let geometry = ConvolutionGeometry(window: window, groups: groups)
    let x = Tensor(numbers.uniform(2 * 4 * 7 * 9), shape: [2, 4, 7, 9])
    let weights = Tensor(numbers.uniform(8 * 4 / groups * 6), shape: [8, 4 / groups, 3, 2])
    let bias = numbers.uniform(8)
    let y = try #require(
      try Convolution(geometry: geometry).evaluate([x, weights, Tensor(bias, shape: [8])]).first)
    let sample = LayerSample(
      geometry, inputs: [x, x], targets: [y, y], bias: bias, each: weights.count / 8)
    #expect(sample.count == 2 * 2 * y.shape[2] * y.shape[3])
    let n = weights.count / 8
    for group in 0..<groups {
      let (rows, targets) = (sample.rows(of: group), sample.targets(of: group))
      let size = 8 / groups
      for row in 0..<sample.count {
        for output in 0..<size {
          let sum = (0..<n).reduce(Float(0)) {
            $0 + rows[row * n + $1] * weights.floats[((group * size) + output) * n + $1]
          }
          #expect(abs(sum - targets[row * size + output]) < 1e-4)
        }
      }
    }
  }

  @Test func indicesAreSpread() {
    #expect(spreadIndices(of: 5, atMost: 8) == [0, 1, 2, 3, 4])
    let indices = spreadIndices(of: 1000, atMost: 64)
    #expect(indices.count == 64 && Set(indices).count == 64 && indices == indices.sorted())
    #expect(indices.allSatisfy { (0..<1000).contains($0) })
    #expect(spreadIndices(of: 0, atMost: 4).isEmpty)
  }
}
