import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNFormat

/// Codings of packed signs.
@Suite struct SignCodingTests {
  private func raw(_ packed: PackedTensor) -> StoredTensor {
    StoredTensor(
      kind: .sign, place: .weights, dimensions: packed.shape.dimensions, bytes: packed.bytes[...])
  }

  @Test(arguments: [
    [1, 2, 1], [3, 3, 3, 1], [5, 3, 3, 7], [4, 3, 3, 8], [2, 1, 5, 24], [3, 4, 4, 16],
    [2, 4, 4, 9],
    [4, 2, 2, 2, 8], [6, 1, 10, 16], [2, 8, 8], [2, 9, 64],
  ])
  func kernelsAreTheSignsOfAWindow(dimensions: [Int]) throws {
    var generator = SeededGenerator(seed: 7)
    let packed = SampleModels.sparse(Shape(dimensions), ones: 0.4, using: &generator)
    let layout = try #require(KernelSymbols(dimensions))
    let symbols = packed.bytes.withUnsafeBufferPointer { layout.symbols($0) }
    let channels = dimensions[dimensions.count - 1]
    for output in 0..<dimensions[0] {
      for channel in 0..<channels {
        for position in 0..<layout.positions {
          let sign = packed[(output * layout.positions + position) * channels + channel]
          #expect((symbols[output * channels + channel] >> UInt16(position) & 1 == 1) == sign)
        }
      }
    }
    #expect(layout.bytes(symbols) == packed.bytes)
  }

  @Test func someWindowsHaveNoKernels() {
    #expect(KernelSymbols([64, 64]) == nil)
    #expect(KernelSymbols([64, 1, 1, 64]) == nil)
    #expect(KernelSymbols([64, 5, 5, 64]) == nil)
    #expect(KernelSymbols([]) == nil)
  }

  /// Every density, every end of a byte.
  @Test func positionsSurvive() throws {
    var generator = SeededGenerator(seed: 8)
    for count in boundarySizes.dropFirst() + [4096] {
      for ones in [0, 0.001, 0.05, 0.2, 0.5, 0.9, 1] {
        let tensor = raw(SampleModels.sparse([count], ones: ones, using: &generator))
        for coding in [StoredTensor.Coding.positions, .planes] {
          let coded = tensor.smallest(of: [coding])
          #expect(try coded.decoded() == tensor)
          #expect(coded.bytes.count <= tensor.bytes.count)
        }
      }
    }
  }

  @Test func fewOnesTakeLittle() throws {
    var generator = SeededGenerator(seed: 9)
    for (shape, limit) in [
      ([64, 3, 3, 64], 0.32), ([256, 3, 3, 256], 0.30), ([128, 128], 0.32), ([1024, 1024], 0.30),
    ] as [(Shape, Double)] {
      for ones in [0.05, 0.95] {
        let tensor = raw(SampleModels.sparse(shape, ones: ones, using: &generator))
        let coded = tensor.smallest(of: StoredTensor.Coding.allCases)
        #expect(Double(coded.bytes.count * 8) <= limit * Double(shape.count))
        #expect(try coded.decoded() == tensor)
      }
    }
  }

  /// SNN, Sparks: a layer of 2^τ kernels needs τ / 9 bits per weight, and its table.
  @Test func fewKernelsTakeTheirLogarithm() throws {
    var generator = SeededGenerator(seed: 10)
    for (bits, exponent) in [(4, 0.0), (5, 0), (6, 0), (7, 0), (5, 1)] {
      let shape: Shape = [128, 3, 3, 128]
      let packed = SampleModels.powerLaw(
        shape, exponent: exponent, kernels: 1 << bits, using: &generator)
      let coded = raw(packed).smallest(of: StoredTensor.Coding.allCases)
      #expect(coded.coding == .kernels)
      let table = 24 + (1 << bits) * 10 / 8
      #expect(coded.bytes.count <= shape.count / 9 * bits / 8 + table)
      #expect(try coded.decoded() == raw(packed))
    }
  }

  @Test func randomSignsStayRaw() {
    var generator = SeededGenerator(seed: 11)
    for shape in [[64, 3, 3, 64], [64, 512], [8, 7, 7, 3], [1, 1]] as [Shape] {
      let tensor = raw(SampleModels.sparse(shape, ones: 0.5, using: &generator))
      #expect(tensor.smallest(of: StoredTensor.Coding.allCases) == tensor)
    }
  }

  /// A ResNet-18 of kernels that follow a power law: all of its coded bits, tables included, are
  /// within 2 % of the order-0 entropy of the kernels of each layer.
  @Test func aNetworkTakesTheEntropyOfItsKernels() throws {
    var generator = SeededGenerator(seed: 12)
    let widths = [64, 64, 64, 64, 64, 128, 128, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512]
    for exponent in [0.6, 1, 1.4] {
      var (stored, information) = (0, 0)
      for (inputs, outputs) in zip(widths, widths.dropFirst()) {
        let packed = SampleModels.powerLaw(
          [outputs, 3, 3, inputs], exponent: exponent, kernels: 512, using: &generator)
        let layout = try #require(KernelSymbols(packed.shape.dimensions))
        let symbols = packed.bytes.withUnsafeBufferPointer { layout.symbols($0) }
        information += FixedLogarithm.information(SignCodings.histogram(symbols, layout))
        stored += raw(packed).smallest(of: StoredTensor.Coding.allCases).bytes.count
      }
      let bits = Double(information) / Double(FixedLogarithm.one)
      #expect(Double(8 * stored) <= 1.02 * bits)
    }
  }
}
