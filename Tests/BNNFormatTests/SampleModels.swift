import BNNTensor

@testable import BNNFormat

/// Models for the tests: one per operation, and one that uses several.
enum SampleModels {
  static let provenance = Provenance(
    producer: "tests 1", sourceName: "sample.onnx", sourceBytes: 1234, passes: ["one", "two"],
    options: [.init(key: "a", value: "1"), .init(key: "b", value: "")])

  /// A model of one layer; the operation decides the results from the declared ones.
  static func model(
    _ operation: BNNFormat.Operation, inputs: [PhysicalType], outputs: [PhysicalType]
  ) -> BinaryModel {
    let types = inputs + outputs
    let values = types.enumerated().map { index, type in
      ModelValue(
        name: index < inputs.count ? "in\(index)" : "out\(index - inputs.count)",
        elementType: type.elementType, dimensions: type.dimensions)
    }
    let inputIndices = Array(inputs.indices)
    let outputIndices = Array(inputs.count..<types.count)
    return BinaryModel(
      provenance: provenance, values: values, inputs: inputIndices, outputs: outputIndices,
      layers: [
        Layer(
          name: "layer", operation: operation, inputs: inputIndices, outputs: outputIndices)
      ])
  }

  static func signs(_ dimensions: Dimension...) -> PhysicalType { PhysicalType(.sign, dimensions) }
  static func reals(_ dimensions: Dimension...) -> PhysicalType {
    PhysicalType(.float32, dimensions)
  }

  static let window = WindowGeometry(
    kernel: [3, 3], strides: [1, 1], dilations: [1, 1], padsBegin: [1, 1], padsEnd: [1, 1])
  static let half = WindowGeometry(kernel: [2, 2], strides: [2, 2])

  static func weights(_ shape: Shape) -> PackedTensor {
    PackedTensor(shape: shape) { $0 % 3 == 0 || $0 % 7 == 2 }
  }

  static func binaryConvolution(_ epilogue: Epilogue) -> BinaryModel {
    model(
      .binaryConvolution(
        .init(window: window, groups: 2, padding: .minusOne), weights: weights([4, 3, 3, 5]),
        epilogue),
      inputs: [signs(.batch(1), .fixed(6), .fixed(7), .fixed(10))],
      outputs: epilogue.outputTypes.map {
        PhysicalType($0, [.batch(1), .fixed(6), .fixed(7), .fixed(4)])
      })
  }

  static func pointwise(_ epilogue: Epilogue, operands: Int = 0) -> BinaryModel {
    let type = reals(.batch(1), .fixed(3))
    return model(
      .pointwise(epilogue), inputs: .init(repeating: type, count: 1 + operands),
      outputs: epilogue.outputTypes.map { PhysicalType($0, type.dimensions) })
  }

  static let functions: [PointwiseFunction] = [
    .absolute, .negate, .reciprocal, .squareRoot, .exponential, .logarithm, .floor, .ceiling,
    .roundHalfToEven, .sigmoid, .tanh, .erf, .softplus, .softsign, .sign, .relu,
    .leakyRelu(alpha: 0.1), .elu(alpha: 0.5), .selu(alpha: 1.5, gamma: 2), .celu(alpha: 3),
    .hardSigmoid(alpha: 0.25, beta: 0.75), .hardSwish, .gelu(tanhApproximation: true),
    .gelu(tanhApproximation: false), .sine, .cosine, .tangent, .arcsine, .arccosine, .arctangent,
    .hyperbolicSine, .hyperbolicCosine, .inverseHyperbolicSine, .inverseHyperbolicCosine,
    .inverseHyperbolicTangent,
  ]

  static let thresholds: [Thresholds<Int32>] = [
    Thresholds(
      lower: [1, 2, 3, 4], upper: [.max, .max, .max, .max],
      insideIsPlus: .init(repeating: true, count: 4)),
    Thresholds(
      lower: .init(repeating: .min, count: 4), upper: [1, 2, 3, 4],
      insideIsPlus: [true, false, true, true]),
    Thresholds(
      lower: [.min, 5, .min, 0], upper: [7, .max, 9, .max],
      insideIsPlus: .init(repeating: false, count: 4)),
    Thresholds(
      lower: [1, -5, 2, 0], upper: [7, .max, -9, 1], insideIsPlus: [true, true, false, true]),
    Thresholds(lower: [3], upper: [.max], insideIsPlus: [true]),
    Thresholds(lower: [3], upper: [4], insideIsPlus: [false]),
  ]

  /// Every operation, every step, every form of a list.
  static var all: [BinaryModel] {
    thresholds.map { binaryConvolution(Epilogue(output: .accumulatorBits($0))) } + convolutions
      + epilogues + windows + structural + arrays
  }

  private static var convolutions: [BinaryModel] {
    let float = Weights.float32((0..<24).map { Float($0) / 8 }, shape: [4, 2, 3])
    let line = WindowGeometry(
      kernel: [2], strides: [3], dilations: [2], padsBegin: [2], padsEnd: [0])
    let input = reals(.fixed(2), .fixed(9), .fixed(3))
    let output = reals(.fixed(2), .fixed(3), .fixed(4))
    return [
      model(
        .convolution(.init(window: line), weights: float, Epilogue()), inputs: [input],
        outputs: [output]),
      model(
        .convolution(
          .init(window: line), weights: .signs(weights([4, 2, 3])),
          Epilogue(steps: [.affine(scale: [1, 2, 3, 4], bias: [0])])), inputs: [input],
        outputs: [output]),
      quantized(scales: [1, 0.5, 0.25, 3]), quantized(scales: [0.125]),
      model(
        .binaryConvolution(
          .init(window: WindowGeometry(kernel: [])), weights: weights([3, 70]), Epilogue()),
        inputs: [signs(.batch(1), .fixed(70))], outputs: [reals(.batch(1), .fixed(3))]),
    ]
  }

  static func quantized(
    scales: [Float], elements: [Int8] = (0..<24).map { Int8($0 * 11 - 127) },
    input: InputQuantization = .init(scale: 0.5, zero: 200)
  ) -> BinaryModel {
    let line = WindowGeometry(kernel: [2], strides: [3], dilations: [2], padsBegin: [2])
    return model(
      .quantizedConvolution(
        .init(window: line),
        weights: .init(elements: elements, shape: [4, 2, 3], scales: scales), input: input,
        Epilogue(steps: [.affine(scale: [1, 2, 3, 4], bias: [0])])),
      inputs: [reals(.fixed(2), .fixed(9), .fixed(3))],
      outputs: [reals(.fixed(2), .fixed(3), .fixed(4))])
  }

  private static var epilogues: [BinaryModel] {
    functions.map { pointwise(Epilogue(steps: [.function($0)])) } + [
      pointwise(
        Epilogue(
          steps: [
            .affine(scale: [1, 2, 3], bias: [1, 2, 3]),
            .slopes(positive: [1], negative: [0.5, -0.25, .infinity]),
            .clamp(lower: -.infinity, upper: 6), .add(operand: 1), .multiply(operand: 0),
          ], output: .valuesAndBits(.zeroIsMinus)), operands: 2),
      pointwise(Epilogue(output: .bits(.zeroIsPlus))),
      pointwise(
        Epilogue(
          output: .bits(
            Thresholds(
              lower: [-.infinity, 0, 1], upper: [1, .infinity, 2],
              insideIsPlus: [true, false, true])))),
    ]
  }

  private static var windows: [BinaryModel] {
    let bits = signs(.batch(1), .fixed(5), .fixed(4), .fixed(3))
    let reals = reals(.batch(1), .fixed(5), .fixed(4), .fixed(3))
    let smaller = [Dimension.batch(1), .fixed(2), .fixed(2), .fixed(3)]
    let ceiled = [Dimension.batch(1), .fixed(3), .fixed(2), .fixed(3)]
    return [[false], [true], [true, false, true]].map {
      model(
        .binaryPool(half, ceiling: true, inverted: $0), inputs: [bits],
        outputs: [PhysicalType(.sign, ceiled)])
    }
      + [PoolKind.maximum, .average(countPadding: false), .average(countPadding: true)].map {
        model(
          .pool($0, half, ceiling: false, Epilogue()), inputs: [reals],
          outputs: [PhysicalType(.float32, smaller)])
      }
  }

  private static var structural: [BinaryModel] {
    let image = reals(.batch(1), .fixed(2), .fixed(2), .fixed(3))
    let bits = signs(.batch(1), .fixed(2), .fixed(2), .fixed(3))
    return [
      model(
        .concatenate(axis: 3), inputs: [bits, bits, bits],
        outputs: [signs(.batch(1), .fixed(2), .fixed(2), .fixed(9))]),
      model(.reshape, inputs: [image], outputs: [reals(.batch(4), .fixed(3))]),
      model(
        .transpose(permutation: [0, 3, 1, 2]), inputs: [bits],
        outputs: [signs(.batch(1), .fixed(3), .fixed(2), .fixed(2))]),
      model(
        .array(.gather(axis: 3)), inputs: [bits, PhysicalType(.int64, [.fixed(4)])],
        outputs: [signs(.batch(1), .fixed(2), .fixed(2), .fixed(4))]),
      model(.softmax(axis: 3, logarithm: true), inputs: [image], outputs: [image]),
      model(
        .reduce(.mean, axes: [1, 2], keepDimensions: false), inputs: [image],
        outputs: [reals(.batch(1), .fixed(3))]),
      model(
        .reduce(.minimum, axes: [3], keepDimensions: true), inputs: [image],
        outputs: [reals(.batch(1), .fixed(2), .fixed(2), .fixed(1))]),
      model(.unpack, inputs: [bits], outputs: [image]),
      model(.signProduct, inputs: [bits, bits], outputs: [bits]),
    ]
  }

  /// Bits by threshold, two binary convolutions with equal weights, real values at the end.
  static var chain: BinaryModel {
    let shape: [Dimension] = [.batch(1), .fixed(8)]
    let layer = { (epilogue: Epilogue) in
      Operation.binaryConvolution(
        .init(window: WindowGeometry(kernel: [])), weights: weights([8, 8]), epilogue)
    }
    let bounds = Thresholds<Int32>(
      lower: (0..<8).map { $0 - 4 }, upper: .init(repeating: .max, count: 8),
      insideIsPlus: .init(repeating: true, count: 8))
    return BinaryModel(
      provenance: provenance,
      values: [
        ModelValue(name: "x", elementType: .float32, dimensions: shape),
        ModelValue(name: "", elementType: .sign, dimensions: shape),
        ModelValue(name: "", elementType: .sign, dimensions: shape),
        ModelValue(name: "y", elementType: .float32, dimensions: shape),
      ], inputs: [0], outputs: [3],
      layers: [
        Layer(
          name: "sign", operation: .pointwise(Epilogue(output: .bits(.zeroIsPlus))), inputs: [0],
          outputs: [1]),
        Layer(
          name: "first", operation: layer(Epilogue(output: .accumulatorBits(bounds))), inputs: [1],
          outputs: [2]),
        Layer(
          name: "second",
          operation: layer(
            Epilogue(steps: [.affine(scale: (1...8).map { Float($0) }, bias: [0])])),
          inputs: [2], outputs: [3]),
      ])
  }
}
