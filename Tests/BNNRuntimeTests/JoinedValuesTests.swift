import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

/// Networks of concatenations, whose operands are made in their places, against the same operations
/// one by one.
@Suite struct JoinedValuesTests {
  /// A network on values of [2, 3, 4, channels] that is made layer by layer.
  private struct Network {
    var random: SeededGenerator
    var values: [ModelValue] = []
    var layers: [Layer] = []
    /// What every value is.
    var contents: [PlainValue] = []

    init(seed: Int) {
      random = SeededGenerator(seed: seed)
      let input = random.integers([2, 3, 4, 5])
      add(input.value)
    }

    mutating func add(_ content: PlainValue) {
      values.append(
        ModelValue(
          name: "v\(values.count)", elementType: .float32,
          dimensions: content.shape.dimensions.map { .fixed($0) }))
      contents.append(content)
    }

    mutating func append(_ operation: BNNFormat.Operation, _ inputs: [Int], channels: Int) {
      let layer = Layer(
        name: "l\(layers.count)", operation: operation, inputs: inputs, outputs: [values.count])
      let results = referenceOutputs(
        layer, inputs.map { contents[$0] }, shape: [2, 3, 4, channels])
      layers.append(layer)
      add(results[0])
    }

    mutating func appendRandomLayer() {
      let from = random.pick(Array(values.indices.suffix(4)))
      let channels = contents[from].shape[3]
      let clamp = PointwiseStep.clamp(lower: -9, upper: 9)
      switch Int.random(in: 0..<6, using: &random) {
      case 0:
        append(
          .pointwise(Epilogue(steps: [clamp, .function(.negate)])), [from], channels: channels)
      case 1:
        let other = values.indices.last { contents[$0].shape[3] == channels } ?? from
        append(.pointwise(Epilogue(steps: [.add(operand: 0)])), [from, other], channels: channels)
      case 2:
        let window = WindowGeometry(
          kernel: [2, 2], strides: [1, 1], dilations: [1, 1], padsBegin: [1, 0], padsEnd: [0, 1])
        append(
          .pool(.maximum, window, ceiling: false, Epilogue(steps: [.function(.relu)])), [from],
          channels: channels)
      case 3:
        let weights = Shape([7, channels])
        append(
          .convolution(
            ConvolutionGeometry(
              window: WindowGeometry(
                kernel: [1, 1], strides: [1, 1], dilations: [1, 1], padsBegin: [0, 0],
                padsEnd: [0, 0])),
            weights: .float32(
              random.integers(weights.count), shape: Shape([7, 1, 1, channels])),
            Epilogue(steps: [clamp])),
          [from], channels: 7)
      default:
        let inputs = (0..<random.pick([1, 2, 2, 3])).map { _ in
          random.pick(Array(values.indices.suffix(5)))
        }
        let total = inputs.reduce(0) { $0 + contents[$1].shape[3] }
        if total < 100 { append(.concatenate(axis: 3), inputs, channels: total) }
      }
    }

    /// The last values are the outputs.
    var model: BinaryModel {
      BinaryModel(
        provenance: .test, values: values, inputs: [0], outputs: Array(values.indices.suffix(2)),
        layers: layers)
    }
  }

  @Test func matchOperationsOneByOne() throws {
    var joined = 0
    for seed in 0..<40 {
      var network = Network(seed: seed)
      for _ in 0..<14 { network.appendRandomLayer() }
      let model = network.model
      joined += JoinedValues(model, try PlanLayout(model, batch: 1).buffers).places.count
      for (kernels, threads) in [(KernelChoice.best, 1), (.best, 3), (.scalar, 1)] {
        let session = try InferenceSession(model, threads: threads, kernels: kernels)
        let outputs = try session.run(["v0": Tensor(network.contents[0], type: .float32)])
        for (output, value) in zip(outputs, model.outputs) {
          let expected = Tensor(network.contents[value], type: .float32)
          #expect(output.tensor == expected, "seed \(seed), \(kernels), \(threads) threads")
        }
      }
    }
    #expect(joined > 50)
  }

  /// A chain of concatenations copies nothing: all of it is one place.
  @Test func chainIsOnePlace() throws {
    var network = Network(seed: 1)
    network.append(.pointwise(Epilogue(steps: [.function(.relu)])), [0], channels: 5)
    for _ in 0..<3 {
      let last = network.values.count - 1
      let channels = network.contents[last].shape[3]
      network.append(.pointwise(Epilogue(steps: [.function(.negate)])), [last], channels: channels)
      network.append(.concatenate(axis: 3), [last, last + 1], channels: 2 * channels)
    }
    var model = network.model
    model.outputs = [network.values.count - 1]
    let layout = try PlanLayout(model, batch: 1)
    let whole = layout.buffers[model.outputs[0]]
    #expect(whole.rowStep == 40)
    for value in 1..<model.outputs[0] { #expect(layout.buffers[value].rowStep == 40) }
    #expect(layout.buffers[1].offset == whole.offset)
    #expect(layout.buffers[2].offset == whole.offset + 5 * 4)
    #expect(layout.buffers[6].offset == whole.offset + 20 * 4)
  }
}
