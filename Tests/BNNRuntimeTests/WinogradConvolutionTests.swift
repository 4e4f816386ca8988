import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

/// Convolutions that are computed in tiles, against sums of products in double precision.
@Suite struct WinogradConvolutionTests {
  /// A layer with so many outputs that tiles win, whatever else it is.
  private func layer(
    kernel: [Int], stride: Int, extents: [Int], channels: Int, seed: Int
  ) -> LayerCase? {
    var random = SeededGenerator(seed: seed)
    let outputs = random.pick([112, 127, 130])
    let window = WindowGeometry(
      kernel: kernel, strides: [stride, stride], dilations: [1, 1],
      padsBegin: kernel.map { $0 / 2 }, padsEnd: kernel.map { _ in random.pick([0, 1]) })
    guard let result = window.outputExtents(of: extents) else { return nil }
    let images = random.pick([1, 2])
    let shape = Shape([images] + result + [outputs])
    var inputs = [random.reals([images] + extents + [channels])]
    let epilogue = random.epilogue(shape, hasAccumulator: false, &inputs)
    let weights = Shape([outputs] + kernel + [channels])
    return LayerCase(
      operation: .convolution(
        ConvolutionGeometry(window: window),
        weights: .float32(random.reals(weights.count), shape: weights), epilogue),
      inputs: inputs, outputTypes: epilogue.outputTypes, outputShape: shape)
  }

  /// The kernel of the only layer.
  private func kernel(of own: LayerCase) throws -> String {
    try InferenceSession(own.model).profile(own.tensors).layers[0].kernel
  }

  @Test(arguments: [
    ([3, 3], 1, [9, 10], 8), ([4, 3], 1, [7, 16], 8), ([5, 5], 1, [8, 8], 16),
    ([7, 7], 2, [17, 15], 3), ([5, 7], 2, [12, 21], 9), ([6, 6], 2, [24, 24], 4),
    ([11, 11], 4, [40, 35], 3), ([3, 3], 1, [4, 4], 24), ([5, 3], 1, [30, 24], 3),
    ([4, 2], 1, [13, 37], 7), ([6, 3], 1, [32, 24], 8),
  ])
  func matchesSums(_ size: [Int], _ stride: Int, _ extents: [Int], _ channels: Int) throws {
    for seed in 0..<2 {
      let own = try #require(
        layer(kernel: size, stride: stride, extents: extents, channels: channels, seed: seed))
      #expect(try kernel(of: own).hasPrefix("bnn_winograd"))
      // A sum has up to 600 products of up to 4, and the epilogue makes it at most four times 16
      // times as large; what tiles round is a few millionths of that.
      try own.check(tolerance: 0.004)
    }
  }

  /// Rounding errors stay near those of sums in float32.
  @Test func roundsLittle() throws {
    var random = SeededGenerator(seed: 1)
    let weights = Shape([64, 7, 7, 3])
    let window = WindowGeometry(
      kernel: [7, 7], strides: [2, 2], dilations: [1, 1], padsBegin: [3, 3], padsEnd: [3, 3])
    let own = LayerCase(
      operation: .convolution(
        ConvolutionGeometry(window: window),
        weights: .float32(random.reals(weights.count), shape: weights), Epilogue()),
      inputs: [random.reals([1, 32, 32, 3])], outputTypes: [.float32],
      outputShape: [1, 16, 16, 64])
    let expected = referenceOutputs(
      own.model.layers[0], own.inputs.map(\.value), shape: own.outputShape)
    let largest = expected[0].elements.map { abs($0) }.max() ?? 0
    try own.check(tolerance: largest * 3e-6)
  }

  /// An image that is only brought from planes to pixels for tiles along rows stays where it is.
  @Test(arguments: [3, 4]) func readsPlanes(channels: Int) throws {
    var random = SeededGenerator(seed: channels)
    let (height, width, outputs) = (29, 34, 70)
    let weights = Shape([outputs, 7, 7, channels])
    let window = WindowGeometry(
      kernel: [7, 7], strides: [2, 2], dilations: [1, 1], padsBegin: [3, 3], padsEnd: [3, 3])
    let extents = try #require(window.outputExtents(of: [height, width]))
    func value(_ name: String, _ dimensions: [Int]) -> ModelValue {
      ModelValue(
        name: name, elementType: .float32,
        dimensions: [.batch(1)] + dimensions.map { Dimension.fixed($0) })
    }
    var model = BinaryModel(
      provenance: .test,
      values: [
        value("x", [channels, height, width]), value("pixels", [height, width, channels]),
        value("y", extents + [outputs]),
      ], inputs: [0], outputs: [2],
      layers: [
        Layer(
          name: "layout", operation: .transpose(permutation: [0, 2, 3, 1]), inputs: [0],
          outputs: [1]),
        Layer(
          name: "stem",
          operation: .convolution(
            ConvolutionGeometry(window: window),
            weights: .float32(random.reals(weights.count), shape: weights),
            Epilogue(steps: [.function(.relu)])),
          inputs: [1], outputs: [2]),
      ])
    let count = channels * height * width
    let images = Tensor(random.reals(2 * count), shape: [2, channels, height, width])
    for threads in [1, 2] {
      let inPlace = try InferenceSession(model, threads: threads).run(["x": images])
      // What is shown has to exist.
      model.outputs = [2, 1]
      let moved = try InferenceSession(model, threads: threads).run(["x": images])
      model.outputs = [2]
      let largest = moved[0].tensor.floats.map { abs($0) }.max() ?? 0
      let error = zip(inPlace[0].tensor.floats, moved[0].tensor.floats).map { abs($0 - $1) }.max()
      #expect(try #require(error) <= largest * 3e-6)
    }
    let buffers = try PlanLayout(model, batch: 2).buffers
    #expect(buffers[1].isPlanar && buffers[1].offset == buffers[0].offset)
  }

  /// An empty batch has the tiles of any other, because all share the layout of weights.
  @Test(arguments: [0, 1, 3]) func doesNotDependOnTheBatch(batch: Int) throws {
    let own = try #require(
      layer(kernel: [7, 7], stride: 2, extents: [17, 15], channels: 3, seed: 3))
    guard case .convolution(let geometry, let weights, _) = own.operation else { return }
    let input = try #require(Buffer(type: .float32, shape: [batch, 17, 15, 3]))
    #expect(try WinogradConvolutionStep.shape(geometry, weights, input: input) != nil)
  }

  /// Sums of integers with weights of ±1 are exact, and a threshold may lie right on one of them.
  @Test func leavesSignsAlone() throws {
    let own = try #require(
      layer(kernel: [3, 3], stride: 1, extents: [9, 10], channels: 8, seed: 0))
    guard
      case .convolution(let geometry, .float32(let values, let shape), let epilogue) =
        own.operation
    else { return }
    var signs = own
    signs.operation = .convolution(
      geometry, weights: .signs(PackedTensor(shape: shape) { values[$0] > 0 }), epilogue)
    #expect(try kernel(of: signs).hasPrefix("bnn_fgemm"))
  }

  /// Tiles do not pay where a layer has few outputs or channels, or its windows have gaps.
  @Test func leavesSmallLayersAlone() throws {
    var random = SeededGenerator(seed: 2)
    for (outputs, dilation, channels) in [(16, 1, 1), (64, 2, 8), (16, 1, 3)] {
      let weights = Shape([outputs, 3, 3, channels])
      let window = WindowGeometry(
        kernel: [3, 3], strides: [1, 1], dilations: [dilation, dilation], padsBegin: [0, 0],
        padsEnd: [0, 0])
      let extents = try #require(window.outputExtents(of: [8, 8]))
      let own = LayerCase(
        operation: .convolution(
          ConvolutionGeometry(window: window),
          weights: .float32(random.integers(weights.count), shape: weights), Epilogue()),
        inputs: [random.integers([1, 8, 8, channels])], outputTypes: [.float32],
        outputShape: Shape([1] + extents + [outputs]))
      #expect(try kernel(of: own).hasPrefix("bnn_fgemm"))
      try own.check()
    }
  }
}
