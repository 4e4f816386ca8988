import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

@Suite struct ConvolutionTests {
  static let groupChoices = [
    (groups: 1, channels: 1), (1, 3), (1, 16), (1, 31), (1, 48), (1, 63), (1, 64), (1, 65), (1, 96),
    (1, 128), (2, 32), (2, 64), (3, 32), (3, 1), (4, 3), (2, 65), (5, 8), (16, 1), (3, 16),
  ]

  /// A random convolution of the given spatial rank.
  private func convolution(
    seed: Int, rank: Int, isBinary: Bool, signWeights: Bool, hasFewOutputs: Bool = false
  ) -> LayerCase? {
    var random = SeededGenerator(seed: seed * 8 + rank)
    var (groups, channels) = random.pick(Self.groupChoices)
    var outputs = groups * random.pick([1, 2, 3, 7, 8, 31, 32, 33])
    if hasFewOutputs {
      (groups, channels) = (1, random.pick([7, 15, 16, 17, 40, 64]))
      outputs = random.pick([1, 2, 3, 4])
    }
    let extents = (0..<rank).map { _ in random.pick(rank == 3 ? [1, 2, 4] : [1, 3, 5, 8]) }
    let window = random.window(over: extents)
    guard let outputExtents = window.outputExtents(of: extents) else { return nil }
    let images = random.pick([1, 1, 2, 3])
    let shape = Shape([images] + outputExtents + [outputs])
    guard shape.count < 4000 else { return nil }
    let weightShape = Shape([outputs] + window.kernel + [channels])
    let input = [images] + extents + [groups * channels]
    let padding: ConvolutionGeometry.PaddingValue =
      isBinary ? random.pick([.zero, .zero, .plusOne, .minusOne]) : .zero
    let geometry = ConvolutionGeometry(window: window, groups: groups, padding: padding)
    var inputs = [isBinary ? random.bits(input) : random.integers(input)]
    let epilogue = random.epilogue(shape, hasAccumulator: isBinary, &inputs)
    let signs = random.signs(weightShape.count)
    let packed = PackedTensor(shape: weightShape) { signs[$0] > 0 }
    let operation: BNNFormat.Operation =
      if isBinary {
        .binaryConvolution(geometry, weights: packed, epilogue)
      } else if signWeights {
        .convolution(geometry, weights: .signs(packed), epilogue)
      } else {
        .convolution(
          geometry, weights: .float32(random.integers(weightShape.count), shape: weightShape),
          epilogue)
      }
    return LayerCase(
      operation: operation, inputs: inputs, outputTypes: epilogue.outputTypes, outputShape: shape)
  }

  /// The same with weights of one byte, and real inputs inside and outside the range of the bytes.
  private func quantized(seed: Int, rank: Int) -> LayerCase? {
    guard var own = convolution(seed: seed, rank: rank, isBinary: false, signWeights: false),
      case .convolution(let geometry, .float32(_, let shape), let epilogue) = own.operation
    else { return nil }
    var random = SeededGenerator(seed: seed)
    let elements = (0..<shape.count).map { _ -> Int8 in
      random.pick([-127, 127, Int8.random(in: -127...127, using: &random)])
    }
    let scales = (0..<random.pick([1, shape[0]])).map { _ in
      Float.random(in: 0.001...0.1, using: &random)
    }
    let input = InputQuantization(
      scale: Float.random(in: 0.005...0.05, using: &random), zero: random.pick([0, 1, 128, 255]))
    own.inputs[0] = random.reals(own.inputs[0].value.shape.dimensions)
    own.operation = .quantizedConvolution(
      geometry, weights: QuantizedWeights(elements: elements, shape: shape, scales: scales),
      input: input, epilogue)
    return own
  }

  @Test(arguments: 0..<4) func quantized(rank: Int) throws {
    var count = 0
    for seed in 200..<260 {
      guard let own = quantized(seed: seed, rank: rank) else { continue }
      try own.check()
      count += 1
    }
    #expect(count > 30)
  }

  /// Sums beyond 2²⁴ are rounded when they become float32.
  @Test func largeSumsOfBytes() throws {
    var random = SeededGenerator(seed: 5)
    let channels = 1 << 16
    for (byte, weight) in [(255, 127), (0, 127), (255, -127)] as [(UInt8, Int8)] {
      let weights = (0..<3 * channels).map { index in
        index < channels ? weight : Int8.random(in: -127...127, using: &random)
      }
      try LayerCase(
        operation: .quantizedConvolution(
          ConvolutionGeometry(window: WindowGeometry(kernel: [])),
          weights: QuantizedWeights(
            elements: weights, shape: [3, channels], scales: [1, 0.3, 0.7]),
          input: InputQuantization(scale: 1, zero: byte == 0 ? 255 : 0), Epilogue()),
        inputs: [
          (
            .float32,
            PlainValue(.init(repeating: byte == 0 ? -255 : 255, count: channels), [1, channels])
          )
        ], outputTypes: [.float32], outputShape: [1, 3]
      ).check()
    }
  }

  @Test(arguments: 0..<4) func binary(rank: Int) throws {
    var count = 0
    for seed in 0..<60 {
      guard let own = convolution(seed: seed, rank: rank, isBinary: true, signWeights: true) else {
        continue
      }
      try own.check()
      count += 1
    }
    #expect(count > 30)
  }

  /// Few positions and so many weights that threads share the outputs, also from the middle of the
  /// groups on, and groups whose rows are arranged two at a time.
  @Test(arguments: [(1, 512, 256), (2, 512, 256), (3, 64, 1920)])
  func manyWeights(groups: Int, channels: Int, outputsPerGroup: Int) throws {
    var random = SeededGenerator(seed: groups)
    let outputs = outputsPerGroup * groups
    let window = WindowGeometry(
      kernel: [3, 3], strides: [1, 1], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1])
    let shape: Shape = [1, 3, 3, outputs]
    var inputs = [random.bits([1, 3, 3, groups * channels])]
    let epilogue = random.epilogue(shape, hasAccumulator: true, &inputs)
    let weights = random.signs(outputs * 9 * channels)
    let packed = PackedTensor(shape: [outputs, 3, 3, channels]) { weights[$0] > 0 }
    try LayerCase(
      operation: .binaryConvolution(
        ConvolutionGeometry(window: window, groups: groups, padding: .zero), weights: packed,
        epilogue), inputs: inputs, outputTypes: epilogue.outputTypes, outputShape: shape
    ).check()
  }

  /// Groups of a few channels, with numbers of outputs that divide words and others.
  @Test(arguments: [1, 2, 4, 8, 16, 32]) func smallGroups(bitsPerTap: Int) throws {
    var random = SeededGenerator(seed: bitsPerTap)
    for outputsPerGroup in [1, 2, 3, 5, 8, 15, 16, 17, 33] {
      for kernel in [[1, 1], [3, 3], [2, 5]] {
        let groups = random.pick([2, 3, 8, 17])
        let input = [random.pick([1, 3]), 5, 6, groups * bitsPerTap]
        let window = WindowGeometry(
          kernel: kernel, strides: [1, random.pick([1, 2])], dilations: [1, 1],
          padsBegin: [kernel[0] / 2, kernel[1] / 2], padsEnd: [kernel[0] / 2, 0])
        guard let extents = window.outputExtents(of: [5, 6]) else { continue }
        let outputs = groups * outputsPerGroup
        let shape = Shape([input[0]] + extents + [outputs])
        let geometry = ConvolutionGeometry(
          window: window, groups: groups, padding: random.pick([.zero, .plusOne, .minusOne]))
        var inputs = [random.bits(input)]
        let epilogue = random.epilogue(shape, hasAccumulator: true, &inputs)
        let signs = random.signs(outputs * kernel[0] * kernel[1] * bitsPerTap)
        let packed = PackedTensor(shape: Shape([outputs] + kernel + [bitsPerTap])) { signs[$0] > 0 }
        try LayerCase(
          operation: .binaryConvolution(geometry, weights: packed, epilogue), inputs: inputs,
          outputTypes: epilogue.outputTypes, outputShape: shape
        ).check()
      }
    }
  }

  @Test(arguments: 0..<4) func real(rank: Int) throws {
    var count = 0
    for seed in 100..<140 {
      let own = convolution(
        seed: seed, rank: rank, isBinary: false, signWeights: seed.isMultiple(of: 3))
      guard let own else { continue }
      try own.check()
      count += 1
    }
    #expect(count > 20)
  }

  /// Up to four outputs of enough channels have a step of their own.
  @Test(arguments: 0..<4) func fewOutputs(rank: Int) throws {
    var count = 0
    for seed in 0..<60 {
      let own = convolution(
        seed: seed, rank: rank, isBinary: false, signWeights: seed.isMultiple(of: 3),
        hasFewOutputs: true)
      guard let own else { continue }
      try own.check()
      count += 1
    }
    #expect(count > 20)
  }
}
