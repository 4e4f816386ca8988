import BNNFormat
import BNNGraph
import BNNTensor
import Testing

@testable import BNNExport

@Suite struct QuantizationTests {
  @Test func theLargestWeightOfAnOutputIs127() throws {
    let weights = try #require(
      QuantizedWeights(quantizing: [1, -2, 0.5, 0, 0, 0, 254, -254, 1], shape: [3, 3]))
    #expect(weights.scales == [2 / 127 as Float, 1, 2])
    // 63.5 lies between two bytes and goes to the even one, as does 0.5.
    #expect(weights.elements == [64, -127, 32, 0, 0, 0, 127, -127, 0])
    let same = try #require(QuantizedWeights(quantizing: [1, -1], shape: [2, 1]))
    #expect(same.scales == [1 / 127 as Float])
  }

  @Test func weightsThatHaveNoScaleStay() {
    #expect(QuantizedWeights(quantizing: [1, .nan], shape: [1, 2]) == nil)
    #expect(QuantizedWeights(quantizing: [1, .infinity], shape: [1, 2]) == nil)
    #expect(QuantizedWeights(quantizing: [0x1p-125], shape: [1, 1]) == nil)
  }

  @Test(arguments: [0...255, 0...1, -1...3, 2...4, -7 ... -1, -0.1...1000] as [ClosedRange<Float>])
  func zeroAndTheEndsOfARangeHaveBytes(range: ClosedRange<Float>) throws {
    let input = try #require(InputQuantization(range: range))
    #expect(input.byte(0) == input.zero)
    for end in [range.lowerBound, range.upperBound] {
      let back = (Float(input.byte(end)) - Float(input.zero)) * input.scale
      #expect(abs(back - end) <= input.scale)
    }
    let width = max(range.upperBound, 0) - min(range.lowerBound, 0)
    #expect(abs(input.scale * 255 - width) <= width * 0x1p-22)
  }

  @Test func specialRanges() throws {
    #expect(InputQuantization(range: 0...0) == InputQuantization(scale: 1, zero: 0))
    #expect(InputQuantization(range: 0...255) == InputQuantization(scale: 1, zero: 0))
    // ±1 stay what they are.
    let signs = try #require(InputQuantization(range: -1...1))
    #expect(signs == InputQuantization(scale: 1 / 127, zero: 128))
    #expect(signs.byte(-1) == 1 && signs.byte(1) == 255)
    #expect(InputQuantization(range: 0...0x1p-120) == nil)
  }

  @Test func bytesAreRoundedHalfToEvenAndClamped() {
    let input = InputQuantization(scale: 2, zero: 100)
    let numbers: [Float] = [1, 3, 5, -1, -3, 400, -400, .infinity, -.infinity, .nan, -0]
    #expect(
      numbers.map(input.byte) == [100, 102, 102, 100, 98, 255, 0, 255, 0, 0, 100])
  }

  @Test func layersWithRealWeightsAreQuantized() throws {
    let float = try LoweredModel(
      lowering: SampleGraphs.network,
      provenance: Provenance(
        producer: "tests", sourceName: "test.onnx", sourceBytes: 0, passes: [], options: []))
    #expect(float.quantizableLayers == [1])
    var quantized = float
    #expect(quantized.quantize(quantized.realLayers, ranges: [1: -2...6]).isEmpty)
    let file = try BinaryModel(decoding: quantized.model.encoded())
    #expect(file == quantized.model)
    guard case .quantizedConvolution(_, let weights, let input, _) = file.layers[1].operation else {
      Issue.record("not quantized")
      return
    }
    #expect(weights.shape == [8, 3, 3, 3] && weights.scales.count == 8)
    #expect(input == InputQuantization(range: -2...6))
    // What a file has can be made again from the graph and the file.
    #expect(float.quantized(like: file).model == file)

    var unknown = float
    #expect(
      unknown.quantize(unknown.realLayers, ranges: [:]) == [
        UnquantizedLayer(layer: "first", reason: .range)
      ])
    #expect(unknown.model == float.model)
  }

  @Test func rangesThatFollowFromLayersAreKnown() throws {
    var b = GraphBuilder()
    let x = b.input("x", [.batch(1), .fixed(4)])
    func pointwise(_ step: PointwiseStep, _ name: String) -> ValueID {
      b.node(
        .block(Block(core: .pointwise, epilogue: Epilogue(steps: [step]))), name, x)
    }
    let clipped = pointwise(.clamp(lower: -1, upper: 6), "clip")
    let sigmoid = pointwise(.function(.sigmoid), "sigmoid")
    let relu = pointwise(.function(.relu), "relu")
    let joined = b.node(.concat(Concat(axis: 1)), "joined", clipped, sigmoid)
    let open = b.node(.concat(Concat(axis: 1)), "open", clipped, relu)
    b.graph.outputs = [joined, open]
    let model = try LoweredModel(
      lowering: b.graph,
      provenance: Provenance(
        producer: "tests", sourceName: "test.onnx", sourceBytes: 0, passes: [], options: [])
    ).model
    let ranges = model.knownRanges
    func range(_ name: String) -> ClosedRange<Float>? {
      model.layers.first { $0.name == name }.flatMap { ranges[$0.outputs[0]] }
    }
    #expect(range("clip") == -1...6)
    #expect(range("sigmoid") == 0...1)
    #expect(range("relu") == nil)
    #expect(range("joined") == -1...6)
    #expect(range("open") == nil)
    #expect(ranges[model.inputs[0]] == nil)
  }
}
