import BNNFormat
import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

/// Dense blocks, whose signs are made with the pieces of what they test, against the same operations
/// one by one.
@Suite struct SignsOfPiecesTests {
  private static let extents = [3, 3, 4]

  private struct Network {
    var random: SeededGenerator
    var values: [ModelValue] = []
    var layers: [Layer] = []
    /// What every value is.
    var contents: [PlainValue] = []
    /// Values that are outputs.
    var outputs: [Int] = []

    init(seed: Int, channels: Int) {
      random = SeededGenerator(seed: seed)
      var elements = random.integers(extents.reduce(channels, *))
      for _ in 0..<9 {
        let place = Int.random(in: elements.indices, using: &random)
        elements[place] = random.pick([.nan, .infinity, -.infinity, -0.0])
      }
      add(PlainValue(elements, Shape(extents + [channels])), .float32)
    }

    func channels(_ value: Int) -> Int { contents[value].shape[3] }

    mutating func add(_ content: PlainValue, _ type: ElementType) {
      let dimensions = content.shape.dimensions.dropFirst().map { Dimension.fixed($0) }
      values.append(
        ModelValue(
          name: "v\(values.count)", elementType: type, dimensions: [.batch(1)] + dimensions))
      contents.append(content)
    }

    /// - Returns: the first output.
    @discardableResult
    mutating func append(
      _ operation: BNNFormat.Operation, _ inputs: [Int], channels: Int,
      types: [ElementType] = [.float32]
    ) -> Int {
      let first = values.count
      let layer = Layer(
        name: "l\(layers.count)", operation: operation, inputs: inputs,
        outputs: Array(first..<first + types.count))
      let results = referenceOutputs(
        layer, inputs.map { contents[$0] }, shape: Shape(extents + [channels]))
      layers.append(layer)
      for (content, type) in zip(results, types) { add(content, type) }
      return first
    }

    mutating func appendSigns(of value: Int) -> Int {
      let count = channels(value)
      var steps: [PointwiseStep] = []
      if random.bool() { steps.append(.affine(scale: random.integers(count), bias: [1])) }
      if random.bool() { steps.append(.clamp(lower: -3, upper: 3)) }
      let bits = append(
        .pointwise(Epilogue(steps: steps, output: .bits(random.thresholds(count)))), [value],
        channels: count, types: [.sign])
      if random.bool() { outputs.append(bits) }
      return bits
    }

    /// Something with an epilogue that makes values of bits or of values.
    mutating func appendPiece(bits: Int, of value: Int, channels outputs: Int) -> Int {
      let size = outputs > 64 ? 1 : random.pick([1, 1, 3])
      let window = WindowGeometry(
        kernel: [size, size], strides: [1, 1], dilations: [1, 1], padsBegin: [size / 2, size / 2],
        padsEnd: [size / 2, size / 2])
      switch Int.random(in: 0..<6, using: &random) {
      case 0:
        let shape = Shape([outputs, 1, 1, channels(value)])
        let point = WindowGeometry(
          kernel: [1, 1], strides: [1, 1], dilations: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0])
        return append(
          .convolution(
            ConvolutionGeometry(window: point),
            weights: .float32(random.integers(shape.count), shape: shape),
            Epilogue(steps: [.clamp(lower: -9, upper: 9)])),
          [value], channels: outputs)
      case 1 where !contents[value].elements.contains(where: \.isNaN):
        return append(
          .pool(.maximum, window, ceiling: false, Epilogue(steps: [.function(.relu)])), [value],
          channels: channels(value))
      case 2:
        return append(
          .pointwise(Epilogue(steps: [.function(random.pick([.negate, .relu]))])), [value],
          channels: channels(value))
      default:
        let shape = Shape([outputs, size, size, channels(bits)])
        let signs = random.signs(shape.count)
        let geometry = ConvolutionGeometry(
          window: window, padding: random.pick([.zero, .plusOne]))
        let hasBits = random.bool()
        var epilogue = Epilogue(steps: [.affine(scale: [0.5], bias: random.integers(outputs))])
        if hasBits { epilogue.output = .valuesAndBits(random.thresholds(outputs)) }
        return append(
          .binaryConvolution(
            geometry, weights: PackedTensor(shape: shape) { signs[$0] > 0 }, epilogue),
          [bits], channels: outputs, types: hasBits ? [.float32, .sign] : [.float32])
      }
    }

    /// A function of joined pieces, and of some of them the signs.
    mutating func appendFunction(of value: Int, sizes: [Int]) -> Int {
      let bits = appendSigns(of: value)
      let pieces = (0..<random.pick([1, 2, 3])).map { _ in
        appendPiece(bits: bits, of: value, channels: random.pick(sizes))
      }
      let count = pieces.reduce(0) { $0 + channels($1) }
      let joined = append(.concatenate(axis: 3), pieces, channels: count)
      let steps: [PointwiseStep] = [
        .affine(scale: random.integers(count), bias: [1]),
        .slopes(positive: [2], negative: random.integers(count)), .clamp(lower: -7, upper: 9),
        .function(.relu),
      ]
      let function = Epilogue(
        steps: Array(steps.prefix(random.pick([1, 2, 3, 4]))),
        output: .valuesAndBits(random.thresholds(count)))
      let result = append(
        .pointwise(function), [joined], channels: count, types: [.float32, .sign])
      outputs.append(result + 1)
      if random.bool() { outputs.append(random.pick(pieces + [joined])) }
      return result
    }

    /// - Parameter sizes: channels of pieces that are made of bits.
    mutating func appendDenseBlock(_ count: Int, sizes: [Int]) {
      var value = append(
        .pointwise(Epilogue(steps: [.affine(scale: [2], bias: [1])])), [0], channels: channels(0))
      for _ in 0..<count {
        var bits = appendSigns(of: value)
        if random.bool() { bits = appendSigns(of: value) }
        let piece = appendPiece(bits: bits, of: value, channels: random.pick(sizes))
        if random.bool() { outputs.append(appendSigns(of: piece)) }
        // An output has a place of its own, so that it is copied.
        if Int.random(in: 0..<8, using: &random) == 0 { outputs.append(piece) }
        let operands = random.pick([[value, piece], [value, piece], [piece, value]])
        value = append(
          .concatenate(axis: 3), operands, channels: channels(value) + channels(piece))
      }
      outputs.append(appendSigns(of: value))
      if random.bool() { outputs.append(value) }
    }

    var model: BinaryModel {
      BinaryModel(
        provenance: .test, values: values, inputs: [0], outputs: Set(outputs).sorted(),
        layers: layers)
    }

    func check(_ comment: String) throws {
      let model = model
      for (kernels, threads) in KernelChoice.supported.map({ ($0, 1) }) + [(.best, 2), (.best, 3)] {
        let session = try InferenceSession(model, threads: threads, kernels: kernels)
        let outputs = try session.run(["v0": Tensor(contents[0], type: .float32)])
        for (output, value) in zip(outputs, model.outputs) {
          let expected = Tensor(contents[value], type: model.values[value].elementType)
          let isSame = zip(output.tensor.floats, expected.floats).allSatisfy {
            $0 == $1 || ($0.isNaN && $1.isNaN)
          }
          #expect(
            isSame && output.tensor.shape == expected.shape,
            "\(comment), v\(value), \(kernels), \(threads) threads")
        }
      }
    }
  }

  private func signs(_ model: BinaryModel) throws -> SignsOfPieces {
    try PlanLayout(model, batch: 1).signs
  }

  @Test func matchOperationsOneByOne() throws {
    var made = 0
    for seed in 0..<20 {
      var network = Network(seed: seed, channels: [1, 5, 16, 17, 32][seed % 5])
      network.appendDenseBlock(5, sizes: [1, 5, 15, 16, 17, 33])
      made += try signs(network.model).layers.count
      try network.check("seed \(seed)")
    }
    #expect(made > 40)
  }

  /// Pieces of which a part of the channels is finished at a time.
  @Test(arguments: [5, 80]) func widePieces(_ channels: Int) throws {
    for seed in 0..<2 {
      var network = Network(seed: seed, channels: channels)
      network.appendDenseBlock(2, sizes: [144])
      try network.check("seed \(seed)")
    }
  }

  /// Functions go to the layers that make pieces, where nothing else reads these.
  @Test func functionsOfPieces() throws {
    var moved = 0
    for seed in 0..<20 {
      var network = Network(seed: seed, channels: [5, 16, 33][seed % 3])
      var value = network.append(
        .pointwise(Epilogue(steps: [.affine(scale: [2], bias: [1])])), [0],
        channels: network.channels(0))
      for _ in 0..<2 { value = network.appendFunction(of: value, sizes: [1, 16, 20, 32]) }
      network.outputs.append(value)
      let before = network.model
      let after = before.withFunctionsOfPieces()
      for (layer, changed) in zip(before.layers, after.layers) where layer != changed {
        if case .concatenate = layer.operation { moved += 1 }
      }
      try network.check("seed \(seed)")
    }
    #expect(moved > 5)
  }

  /// Every layer of a chain has all signs made, by all layers before it, and none of them is a step.
  @Test func chainMakesAllSigns() throws {
    var network = Network(seed: 1, channels: 5)
    var value = network.append(
      .pointwise(Epilogue(steps: [.function(.relu)])), [0], channels: 5)
    var tested: [Int] = []
    for _ in 0..<3 {
      tested.append(network.layers.count)
      network.outputs.append(network.appendSigns(of: value))
      let piece = network.append(
        .pointwise(Epilogue(steps: [.function(.negate)])), [value],
        channels: network.channels(value))
      value = network.append(
        .concatenate(axis: 3), [value, piece], channels: 2 * network.channels(value))
    }
    let signs = try signs(network.model)
    #expect(signs.layers == Set(tested))
    #expect(signs.pieces[0]?.map(\.layer) == tested)
    #expect(signs.pieces[0]?.map(\.channel) == [0, 0, 0])
    #expect(signs.pieces[2]?.map(\.channel) == [5, 5])
  }

  /// Signs of what is copied, or of what no epilogue makes, are a step.
  @Test func othersAreSteps() throws {
    var network = Network(seed: 1, channels: 5)
    let ofInput = network.layers.count
    network.outputs.append(network.appendSigns(of: 0))
    let value = network.append(
      .pointwise(Epilogue(steps: [.function(.relu)])), [0], channels: 5)
    let twice = network.append(.concatenate(axis: 3), [value, value], channels: 10)
    network.outputs.append(network.appendSigns(of: twice))
    let function = Epilogue(steps: [.function(.tanh)], output: .bits(network.random.thresholds(5)))
    network.outputs.append(
      network.append(.pointwise(function), [value], channels: 5, types: [.sign]))
    #expect(ofInput == 0)
    #expect(try signs(network.model).layers.isEmpty)
    try network.check("steps")
  }
}
