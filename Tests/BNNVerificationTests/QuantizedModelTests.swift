import BNNKit
import Testing

@testable import BNNVerification

/// Layers that compute in integers are compared with what the file says, exactly; how far they are
/// from the source is reported.
@Suite struct QuantizedModelTests {
  private let network: SampleNetwork
  private let model: BinaryModel

  init() throws {
    network = try SampleNetwork()
    var lowered = try LoweredModel(
      lowering: network.canonical, provenance: network.model.provenance)
    let layer = try #require(lowered.quantizableLayers.first)
    #expect(lowered.quantize([layer], ranges: [layer: -3...3]).isEmpty)
    model = lowered.model
  }

  private var layer: Int {
    model.layers.firstIndex {
      if case .quantizedConvolution = $0.operation { true } else { false }
    } ?? 0
  }

  private func changed(
    _ edit: (inout QuantizedWeights, inout InputQuantization) -> Void
  ) -> BinaryModel {
    var result = model
    guard
      case .quantizedConvolution(let geometry, var weights, var input, let epilogue) =
        model.layers[layer].operation
    else { return result }
    edit(&weights, &input)
    result.layers[layer].operation = .quantizedConvolution(
      geometry, weights: weights, input: input, epilogue)
    return result
  }

  @Test func aFaithfulModelMatchesAndReportsItsDistance() throws {
    let report = try network.verify(BinaryModel(decoding: model.encoded()))
    #expect(report.verdict == .match, "\(report)")
    #expect(report.isLossy)
    let found = report.layers[layer]
    #expect(found.mismatches == 0 && found.maximumError == 0 && found.flips == 0)
    #expect(found.compared > 8 * 8 * 8)
    #expect(try #require(found.distance) > 0)
    #expect(report.layers.count { $0.distance != nil } == 1)
    #expect("\(report)".contains("distance to source"))
    #expect(try !network.verify().isLossy)
  }

  @Test func oneChangedWeightOrScaleIsFound() throws {
    for model in [
      changed { weights, _ in weights.elements[5] += weights.elements[5] == 127 ? -1 : 1 },
      changed { weights, _ in weights.scales[3] = weights.scales[3].nextUp },
    ] {
      let report = try network.verify(BinaryModel(decoding: model.encoded()))
      #expect(report.verdict == .mismatch)
      #expect(report.firstMismatch?.name == model.layers[layer].name)
      #expect(report.firstMismatch?.storedMismatches == 1)
    }
  }

  /// The range of the input is the file's choice: another one is as exact, but further away.
  @Test func theInputsScaleIsTheFiles() throws {
    let coarse = changed { _, input in input = InputQuantization(scale: 1000, zero: 7) }
    let report = try network.verify(coarse)
    #expect(report.verdict == .match, "\(report)")
    let distance = try #require(report.layers[layer].distance)
    #expect(try distance > #require(network.verify(model).layers[layer].distance))
  }

  @Test func outputsDecideWhereALimitIsGiven() throws {
    let error = try network.verify(model).endToEnd.maximumError
    #expect(error > 1e-3)
    #expect(
      try network.verify(model, options: .init(maximumError: 2 * error)).verdict == .match)
    let report = try network.verify(model, options: .init(maximumError: error / 100))
    #expect(report.verdict == .mismatch)
    #expect(report.firstMismatch == nil)
    #expect(report.reasons.first?.contains("is allowed") == true)
  }

  @Test func kernelsAgreeBitForBit() throws {
    let report = try SelfCheck(model).run()
    #expect(report.verdict == .match)
    #expect(report.layers[layer].maximumError == 0)
  }
}
