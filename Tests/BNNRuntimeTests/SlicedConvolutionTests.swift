import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

/// Binary convolutions of few channels per group, which are counted in bit planes.
@Suite struct SlicedConvolutionTests {
  struct Channels: Sendable {
    var groups: Int
    var inputs: Int
    var outputs: Int
  }

  /// Also groups that are multiplied two at a time. Per group: one group, groups of as many outputs as inputs, of more, of fewer, of any numbers.
  static let channels = [
    (1, 1, 1), (1, 3, 65), (1, 16, 130), (1, 31, 3), (1, 48, 64), (64, 1, 1), (130, 1, 1),
    (33, 2, 2), (7, 4, 4), (16, 8, 8), (5, 16, 16), (3, 32, 32), (70, 1, 2), (9, 1, 16), (5, 8, 32),
    (20, 4, 2), (9, 16, 4), (3, 32, 8), (3, 5, 12), (11, 3, 1), (2, 2, 64), (2, 9, 65), (3, 12, 32),
    (2, 32, 32), (6, 32, 32), (3, 64, 64), (4, 64, 64),
  ].map { Channels(groups: $0.0, inputs: $0.1, outputs: $0.2) }

  private func thresholds(
    _ channels: Int, depth: Int, _ random: inout SeededGenerator
  ) -> Thresholds<Int32> {
    let limit = Int32(depth / 2 + 1)
    let hasUpper = random.bool()
    let lower = (0..<channels).map { _ in
      random.pick([.min, Int32.random(in: -limit...limit, using: &random)])
    }
    return Thresholds(
      lower: lower,
      upper: lower.map { hasUpper ? random.pick([.max, $0 &+ 4, max($0, .min + 1) - 1]) : .max },
      insideIsPlus: (0..<channels).map { _ in random.bool() })
  }

  private func layer(
    _ own: Channels, _ window: WindowGeometry, images: Int, extents: [Int], toBits: Bool,
    _ random: inout SeededGenerator
  ) -> LayerCase? {
    guard let outputExtents = window.outputExtents(of: extents) else { return nil }
    let outputs = own.groups * own.outputs
    let shape = Shape([images] + outputExtents + [outputs])
    guard shape.count < 30_000 else { return nil }
    var inputs = [random.bits([images] + extents + [own.groups * own.inputs])]
    let weights = Shape([outputs] + window.kernel + [own.inputs])
    let depth = weights.count / outputs
    let epilogue =
      toBits
      ? Epilogue(output: .accumulatorBits(thresholds(outputs, depth: depth, &random)))
      : random.epilogue(shape, hasAccumulator: false, &inputs)
    let signs = random.signs(weights.count)
    return LayerCase(
      operation: .binaryConvolution(
        ConvolutionGeometry(
          window: window, groups: own.groups, padding: random.pick([.zero, .plusOne, .minusOne])),
        weights: PackedTensor(shape: weights) { signs[$0] > 0 }, epilogue),
      inputs: inputs, outputTypes: epilogue.outputTypes, outputShape: shape)
  }

  @Test(arguments: channels.indices) func windows(index: Int) throws {
    var random = SeededGenerator(seed: index)
    var count = 0
    for rank in [1, 2, 2, 3] {
      for toBits in [true, true, false] {
        let extents = (0..<rank).map { _ in random.pick(rank == 3 ? [1, 3, 4] : [3, 5, 8]) }
        let own = layer(
          Self.channels[index], random.window(over: extents), images: random.pick([1, 2]),
          extents: extents, toBits: toBits, &random)
        try own?.check()
        count += own == nil ? 0 : 1
      }
    }
    #expect(count > 6)
  }

  /// Lines that are computed in parts, and end within a part and within a vector.
  @Test(arguments: [7, 8, 9, 63, 64, 65, 127, 130]) func lines(width: Int) throws {
    var random = SeededGenerator(seed: width)
    for own in [(64, 1, 1), (16, 8, 8), (1, 3, 65), (2, 2, 64)] {
      for toBits in [true, false] {
        var window = WindowGeometry(
          kernel: [1, 3], strides: [1, random.pick([1, 2])], dilations: [1, random.pick([1, 2])],
          padsBegin: [0, 1], padsEnd: [0, 1])
        if random.bool() { (window.kernel[0], window.padsBegin[0]) = (2, 1) }
        let channels = Channels(groups: own.0, inputs: own.1, outputs: own.2)
        try layer(
          channels, window, images: 1, extents: [2, width], toBits: toBits, &random)?.check()
      }
    }
  }

  /// Positions that see one pixel each are one line of all images; every batch uses the same
  /// weights.
  @Test(arguments: [[], [1], [1, 1], [3, 3]]) func batches(kernel: [Int]) throws {
    let pads = kernel.map { $0 / 2 }
    let window = WindowGeometry(
      kernel: kernel, strides: kernel.map { _ in 1 }, dilations: kernel.map { _ in 1 },
      padsBegin: pads, padsEnd: pads)
    let extents = kernel.map { _ in 5 }
    for toBits in [true, false] {
      for (index, own) in [(1, 3, 65), (16, 8, 8), (64, 1, 1)].enumerated() {
        var session: InferenceSession?
        for images in [2, 1, 16, 3] {
          // The same weights and thresholds for every number of images.
          var random = SeededGenerator(seed: index)
          let channels = Channels(groups: own.0, inputs: own.1, outputs: own.2)
          let signs = random.signs(own.0 * own.2 * kernel.reduce(own.1, *))
          let thresholds = thresholds(own.0 * own.2, depth: own.1, &random)
          let epilogue = toBits ? Epilogue(output: .accumulatorBits(thresholds)) : Epilogue()
          let layer = LayerCase(
            operation: .binaryConvolution(
              ConvolutionGeometry(window: window, groups: channels.groups),
              weights: PackedTensor(
                shape: Shape([channels.groups * channels.outputs] + kernel + [channels.inputs])
              ) { signs[$0] > 0 }, epilogue),
            inputs: [random.bits([images] + extents + [channels.groups * channels.inputs])],
            outputTypes: epilogue.outputTypes,
            outputShape: Shape([images] + extents + [channels.groups * channels.outputs]),
            isBatched: true)
          let own = try session ?? InferenceSession(layer.model)
          session = own
          let found = try own.run(layer.tensors).map(\.tensor)
          let expected = referenceOutputs(
            layer.model.layers[0], layer.inputs.map(\.value), shape: layer.outputShape)
          #expect(found == zip(expected, layer.outputTypes).map { Tensor($0, type: $1) })
        }
      }
    }
  }

  @Test func shapesThatAreSliced() throws {
    for own in [(256, 1, 1), (32, 8, 8), (1, 3, 128), (1, 16, 128)] {
      var random = SeededGenerator(seed: 1)
      let window = WindowGeometry(
        kernel: [3, 3], strides: [1, 1], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1])
      let layer = try #require(
        layer(
          Channels(groups: own.0, inputs: own.1, outputs: own.2), window, images: 1,
          extents: [6, 6], toBits: true, &random))
      for kernels in KernelChoice.supported {
        let timings = try InferenceSession(layer.model, kernels: kernels).profile(layer.tensors)
        #expect(timings.layers[0].kernel.hasPrefix("bnn_bslice"))
      }
    }
  }
}
