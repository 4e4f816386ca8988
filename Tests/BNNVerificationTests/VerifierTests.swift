import BNNKit
import Foundation
import Testing

@testable import BNNVerification

@Suite struct VerifierTests {
  private let network: SampleNetwork

  init() throws { network = try SampleNetwork() }

  @Test func aFaithfulModelMatches() throws {
    let report = try network.verify()
    #expect(report.verdict == .match, "\(report)")
    #expect(report.samples >= 8)
    #expect(report.layers.map(\.name) == network.model.layers.map(\.name))
    #expect(report.layers.allSatisfy { $0.compared > 0 && $0.mismatches == 0 })
    #expect(report.endToEnd.top1Agreement == 1)
    #expect(report.firstMismatch == nil)
  }

  @Test func oneChangedWeightBitIsFoundInEveryLayer() throws {
    var changed = 0
    for index in network.model.layers.indices {
      for bit in [0, 1, 77, 1439] {
        guard let model = network.model.changingWeight(bit, ofLayer: index) else { continue }
        // Through the file: the writer redoes the checksums.
        let report = try network.verify(BinaryModel(decoding: model.encoded()))
        #expect(report.verdict == .mismatch)
        #expect(report.firstMismatch?.name == network.model.layers[index].name)
        #expect(report.firstMismatch?.storedMismatches == 1)
        #expect(report.reasons.first?.contains("'\(network.model.layers[index].name)'") == true)
        changed += 1
      }
    }
    #expect(changed == 12)
  }

  @Test func oneChangedThresholdIsFound() throws {
    var model = network.model
    let index = try #require(
      model.layers.firstIndex { layer in
        if case .accumulatorBits? = layer.operation.epilogue?.output { true } else { false }
      })
    guard
      case .binaryConvolution(let geometry, let weights, var epilogue) =
        model.layers[index].operation, case .accumulatorBits(var thresholds) = epilogue.output
    else { return }
    thresholds.lower[3] = thresholds.lower[3] == .min ? 0 : thresholds.lower[3] + 1
    epilogue.output = .accumulatorBits(thresholds)
    model.layers[index].operation = .binaryConvolution(geometry, weights: weights, epilogue)
    let report = try network.verify(model)
    #expect(report.verdict == .mismatch)
    #expect(report.firstMismatch?.name == model.layers[index].name)
    #expect(report.firstMismatch?.storedMismatches == 1)
  }

  @Test func anotherStructureIsFoundAtItsLayer() throws {
    var model = network.model
    let index = try #require(
      model.layers.firstIndex { layer in
        if case .binaryPool = layer.operation { true } else { false }
      })
    guard case .binaryPool(var window, _, let inverted) = model.layers[index].operation else {
      return
    }
    window.dilations = [2, 2]
    window.kernel = [1, 1]
    model.layers[index].operation = .binaryPool(window, ceiling: false, inverted: inverted)
    try model.validate()
    let report = try network.verify(model)
    #expect(report.verdict == .mismatch)
    #expect(report.firstMismatch?.name == model.layers[index].name)
    #expect(report.reasons.first?.contains("is not the canonical graph's") == true)
  }

  /// A pass that is wrong: file and canonical graph agree, the source does not.
  @Test func aWrongPassIsFound() throws {
    var canonical = network.canonical
    let index = try #require(
      canonical.nodes.firstIndex { node in
        if case .block(let block) = node.op, case .values = block.epilogue.output {
          return !block.epilogue.steps.isEmpty
        }
        return false
      })
    guard case .block(var block) = canonical.nodes[index].op else { return }
    block.epilogue.steps.append(.clamp(lower: -1, upper: 1))
    canonical.nodes[index].op = .block(block)
    let model = try LoweredModel(lowering: canonical, provenance: network.model.provenance).model
    let report = try Verifier(source: network.source, canonical: canonical, model: model).verify()
    #expect(report.verdict == .mismatch)
    #expect(report.firstMismatch == nil)
    #expect(report.canonicalization.maximumError > 1e-4)
  }

  @Test func recordedOutputsDecide() throws {
    let inputs = try VerificationInputs(seed: 3, for: network.source).runs[0]
    let executor = ReferenceExecutor(network.source)
    let output = try #require(try executor.run(inputs)[network.source.outputs[0]])
    let name = network.source[network.source.outputs[0]].name
    let verifier = Verifier(
      source: network.source, canonical: network.canonical, model: network.model)
    #expect(try verifier.verify(inputs: inputs, expected: [name: output]).verdict == .match)
    var wrong = output.floats
    wrong[2] += 0.5 * output.largest
    let other = Tensor(wrong, shape: output.shape)
    let report = try verifier.verify(inputs: inputs, expected: [name: other])
    #expect(report.verdict == .mismatch)
    #expect(report.reasons == ["the recorded outputs are not reproduced"])
    #expect(
      throws: VerificationError.unknownOutput(name: "none", known: [name])
    ) { try verifier.verify(inputs: inputs, expected: ["none": output]) }
  }

  @Test func batchesAreCutTogetherWithTheirRecordedOutputs() throws {
    let runs = try VerificationInputs(seed: 3, for: network.source, samples: 70).runs
    let elements = runs.flatMap { $0["image"]?.floats ?? [] }
    let inputs = ["image": Tensor(elements, shape: [runs.count, 3, 8, 8])]
    let output = try #require(
      try ReferenceExecutor(network.source).run(inputs)[network.source.outputs[0]])
    let name = network.source[network.source.outputs[0]].name
    let report = try Verifier(
      source: network.source, canonical: network.canonical, model: network.model
    ).verify(inputs: inputs, expected: [name: output])
    #expect(report.verdict == .match, "\(report)")
    #expect(report.samples == 70)
  }

  @Test func zerosAtPlainSignsAreCounted() throws {
    let zeros = ["image": Tensor([Float](repeating: 0, count: 192), shape: [1, 3, 8, 8])]
    let verifier = Verifier(
      source: network.source, canonical: network.canonical, model: network.model)
    let report = try verifier.verify(inputs: zeros)
    let counted = try network.source.nodes.reduce(0) { count, node in
      guard case .binarize(let binarize) = node.op, binarize.zeroIsChosen, let x = node.input(0)
      else { return count }
      let values = try ReferenceExecutor(network.source).run(zeros, keeping: [x])
      return count + (values[x]?.floats.count { $0 == 0 } ?? 0)
    }
    #expect(report.signZeros == counted)
    #expect(report.verdict == .match)
  }

  @Test func theReportIsAJSONDocument() throws {
    let data = try JSONEncoder().encode(network.verify())
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["verdict"] as? String == "match")
    let layer = try #require((object["layers"] as? [[String: Any]])?.first)
    for key in ["name", "kind", "compared", "mismatches", "maximumError"] {
      #expect(layer[key] != nil)
    }
    let endToEnd = try #require(object["endToEnd"] as? [String: Any])
    for key in ["flips", "maximumError", "top1Agreement"] { #expect(endToEnd[key] != nil) }
  }

  @Test func theTableNamesEveryLayer() throws {
    let text = try network.verify().description
    for layer in network.model.layers { #expect(text.contains(layer.name)) }
    #expect(text.contains("verdict: match"))
  }

  @Test func kernelsAndThreadsAgree() throws {
    let report = try SelfCheck(network.model, threads: 3).run()
    #expect(report.verdict == .match)
    #expect(report.threading.map(\.threads) == [3, 3])
    #expect(report.threading.allSatisfy { $0.compared > 0 })
    #expect(report.layers.map(\.name) == network.model.layers.map(\.name))
    #expect(report.layers.allSatisfy { $0.compared > 0 })
    #expect(report.description.contains("verdict: match"))
  }

  @Test func numbersAreShort() {
    #expect(shortened(0) == "0")
    #expect(shortened(1.5) == "1.5")
    #expect(shortened(-0.0000123456) == "-1.23e-5")
    #expect(shortened(123_456) == "1.23e5")
  }

  @Test func seededInputsFollowTheTypes() throws {
    var graph = Graph()
    for (name, type) in [
      ("a", ElementType.float32), ("b", .uint8), ("c", .int64), ("d", .int8), ("e", .bool),
    ] {
      _ = graph.addInput(name: name, type: ValueType(type, [.batch(1), .fixed(1000)]))
    }
    let runs = try VerificationInputs(seed: 1, for: graph).runs
    #expect(runs.count == 8)
    let floats = runs.map { $0["a"]?.floats ?? [] }
    #expect(floats[0].allSatisfy { (0..<1).contains($0) })
    #expect(floats[1].allSatisfy { (-1..<1).contains($0) } && floats[1].contains { $0 < 0 })
    #expect(floats[2].allSatisfy { (0...255).contains($0) && $0.rounded() == $0 })
    #expect(floats[3].contains { $0 < -1.5 } && floats[3].contains { $0 > 1.5 })
    for run in runs {
      #expect(run["b"]?.integers.allSatisfy { (0...255).contains($0) } == true)
      #expect(run["c"]?.integers.allSatisfy { (0...255).contains($0) } == true)
      #expect(run["d"]?.integers.contains { $0 < -100 } == true)
    }
    #expect(try VerificationInputs(seed: 1, for: graph).runs == runs)
    #expect(try VerificationInputs(seed: 2, for: graph).runs != runs)
  }
}
