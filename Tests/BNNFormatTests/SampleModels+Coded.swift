import BNNTensor
import BNNTestSupport
import Foundation

@testable import BNNFormat

extension SampleModels {
  /// A dense or convolution layer of some weights, for its tensor.
  static func layer(_ weights: Weights, _ epilogue: Epilogue = Epilogue()) -> BinaryModel {
    let shape = weights.shape
    let kernel = Array(shape.dimensions.dropFirst().dropLast())
    let input = [.batch(1)] + (kernel + [shape[shape.rank - 1]]).map { Dimension.fixed($0) }
    let output =
      [.batch(1)] + kernel.map { _ in Dimension.fixed(1) } + [Dimension.fixed(shape[0])]
    let operation: BNNFormat.Operation
    var type = ElementType.float32
    let geometry = ConvolutionGeometry(window: WindowGeometry(kernel: kernel))
    switch weights {
    case .signs(let packed):
      type = .sign
      operation = .binaryConvolution(geometry, weights: packed, epilogue)
    case .float32: operation = .convolution(geometry, weights: weights, epilogue)
    }
    return model(
      operation, inputs: [PhysicalType(type, input)],
      outputs: epilogue.outputTypes.map { PhysicalType($0, output) })
  }

  /// Signs whose kernels follow a power law: the kernel of rank r occurs in proportion to r^−exponent.
  static func powerLaw(
    _ shape: Shape, exponent: Double, kernels: Int, using generator: inout SeededGenerator
  ) -> PackedTensor {
    let positions = shape.dimensions[1..<(shape.rank - 1)].reduce(1, *)
    let ranked = Array(0..<(1 << positions)).shuffled(using: &generator).prefix(kernels)
    // A table from which uniform numbers draw ranks.
    var draws: [Int] = []
    let weights = (1...kernels).map { pow(Double($0), -exponent) }
    let sum = weights.reduce(0, +)
    for (kernel, weight) in zip(ranked, weights) {
      draws += repeatElement(kernel, count: max(1, Int(weight / sum * 65536)))
    }
    let channels = shape[shape.rank - 1]
    let symbols = (0..<(shape[0] * channels)).map { _ in draws[generator.nextIndex(draws.count)] }
    return PackedTensor(shape: shape) { index in
      let (output, rest) = index.quotientAndRemainder(dividingBy: positions * channels)
      let (position, channel) = rest.quotientAndRemainder(dividingBy: channels)
      return symbols[output * channels + channel] >> position & 1 == 1
    }
  }

  /// Signs of which a part is +1.
  static func sparse(
    _ shape: Shape, ones: Double, using generator: inout SeededGenerator
  ) -> PackedTensor {
    PackedTensor(shape: shape) { _ in Double.random(in: 0..<1, using: &generator) < ones }
  }

  /// Numbers as a trained layer has them.
  static func bells(_ count: Int, using generator: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in
      (0..<8).reduce(Float(0)) { sum, _ in sum + Float.random(in: -0.05...0.05, using: &generator) }
    }
  }

  /// Every coding: the tensors of a chain of layers, with the coding that each should have.
  static func coded(seed: UInt64) -> [(coding: StoredTensor.Coding, model: BinaryModel)] {
    var generator = SeededGenerator(seed: seed)
    let numbers = bells(64 * 48, using: &generator)
    let half = numbers.map { Float(bitPattern: RealCodings.expanded(UInt16(abs($0) * 9999))) }
    let brain = numbers.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
    let scaled = numbers.map { Float(Int($0 * 300)) * (0.3 / 127) }
    let bounds = Thresholds<Int32>(
      lower: (0..<64).map { 130 + $0 }, upper: .init(repeating: .max, count: 64),
      insideIsPlus: .init(repeating: true, count: 64))
    let shape: Shape = [64, 48]
    func multiples(_ scale: Int64) -> BinaryModel {
      let tensor = Tensor((0..<64).map { ($0 - 32) * scale } as [Int64], shape: [64])
      return array(.constant(tensor), [], integers(.fixed(64)))
    }
    return [
      (.raw, layer(.signs(sparse([64, 48], ones: 0.5, using: &generator)))),
      (.planes, layer(.float32(numbers, shape: shape))),
      (.planes, layer(.signs(sparse([64, 1024], ones: 0.3, using: &generator)))),
      (.float16, layer(.float32(half, shape: shape))),
      (.bfloat16, layer(.float32(brain, shape: shape))),
      (.int8Rows, layer(.float32(scaled, shape: shape))),
      (.int8, multiples(3)), (.int16, multiples(1000)), (.int32, multiples(50_000_000)),
      (
        .kernels,
        layer(
          .signs(powerLaw([64, 3, 3, 64], exponent: 1, kernels: 200, using: &generator)),
          Epilogue(output: .accumulatorBits(bounds)))
      ),
      (
        .kernels,
        layer(.signs(powerLaw([20, 2, 2, 33], exponent: 0, kernels: 3, using: &generator)))
      ),
      (.positions, layer(.signs(sparse([64, 48], ones: 0.02, using: &generator)))),
      (.positions, layer(.signs(sparse([9, 51], ones: 0.97, using: &generator)))),
    ]
  }
}
