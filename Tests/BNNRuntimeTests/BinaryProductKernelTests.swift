import BNNTestSupport
import Testing

@testable import BNNRuntime

@Suite struct BinaryProductKernelTests {
  static let depths = boundarySizes + [576, 3967, 3968, 3969, 4096, 9000]

  @Test(arguments: depths) func agreesWithCounting(depth: Int) throws {
    var random = SeededGenerator(seed: depth)
    let words = (depth + 63) / 64
    for kernel in BinaryProductKernel.supported {
      for (rows, outputs) in [
        (0, 1), (1, 0), (1, 1), (2, 3), (3, 31), (1, 32), (2, 33), (2, 65), (3, 64), (5, 17),
        (4, 130), (9, 70), (17, 129),
      ] {
        let left = bits(rows, depth, &random)
        let right = bits(outputs, depth, &random)
        let bases = (0..<rows * outputs).map { _ in Int32.random(in: -999...999, using: &random) }
        let found = try product(
          kernel, rows, outputs, words, left.words, right.words, bases: bases)
        for row in 0..<rows {
          for output in 0..<outputs {
            let mismatches = (0..<depth).count {
              left.isPlus[row * depth + $0] != right.isPlus[output * depth + $0]
            }
            let expected = bases[row * outputs + output] - 2 * Int32(mismatches)
            #expect(found[row * (outputs + 3) + output] == expected, "\(kernel.name) \(outputs)")
          }
          // The gap between rows is not touched.
          #expect(found[row * (outputs + 3) + outputs] == .min)
        }
      }
    }
  }

  @Test(arguments: KernelChoice.supported) func choiceFollowsTheCosts(choice: KernelChoice) throws {
    let kernels = try #require(Kernels(choice))
    for (rows, outputs, words) in [(3136, 64, 9), (1, 1000, 16), (49, 512, 72), (8, 3, 1)] {
      for isTested in [false, true] {
        let shape = BinaryProductShape(
          rows: rows, outputs: outputs, taps: words, bitsPerTap: 64, isTested: isTested)
        let chosen = kernels.binaryProduct(for: shape).kernel
        let cycles = kernels.binaryProducts.map { $0.cycles(of: shape) }
        #expect(chosen.cycles(of: shape) == cycles.min())
        let forced = try #require(kernels.with(binaryProduct: chosen.name))
        #expect(forced.binaryProducts.map(\.name) == [chosen.name])
      }
    }
    #expect(kernels.with(binaryProduct: "bnn_bgemm_none") == nil)
  }

  /// Layouts of several times the bits are for models that can afford them.
  @Test(arguments: KernelChoice.supported) func choiceKeepsToItsLimit(choice: KernelChoice) throws {
    let kernels = try #require(Kernels(choice))
    let shape = BinaryProductShape(
      rows: 1024, outputs: 64, taps: 9, bitsPerTap: 64, isTested: true)
    let bytes = kernels.binaryProducts.map { $0.weightBytes(outputs: 64, words: 9) }
    for limit in [0, 64 * 9 * 8, 5 * 64 * 9 * 8, Int.max] {
      let chosen = kernels.binaryProduct(for: shape, weightBytes: limit).kernel
      let taken = chosen.weightBytes(outputs: 64, words: 9)
      #expect(taken <= limit || taken == bytes.min())
    }
  }

  /// Kernels of eight rows would waste seven of them on one.
  @Test func oneRowIsNotMultipliedInGroups() throws {
    let kernels = try #require(Kernels(.best))
    let one = kernels.binaryProduct(
      for: BinaryProductShape(
        rows: 1, outputs: 1024, taps: 1, bitsPerTap: 1024, isTested: true))
    #expect(one.kernel.mostCountedWords == 0)
  }

  private func bits(
    _ rows: Int, _ depth: Int, _ random: inout SeededGenerator
  ) -> (isPlus: [Bool], words: [UInt64]) {
    let words = (depth + 63) / 64
    let isPlus = (0..<rows * depth).map { _ in random.bool() }
    var packed = [UInt64](repeating: 0, count: rows * words)
    for (index, bit) in isPlus.enumerated() where bit {
      packed[index / depth * words + index % depth / 64] |= 1 << UInt64(index % depth % 64)
    }
    return (isPlus, packed)
  }

  private func product(
    _ kernel: BinaryProductKernel, _ rows: Int, _ outputs: Int, _ words: Int, _ left: [UInt64],
    _ right: [UInt64], bases: [Int32]
  ) throws -> [Int32] {
    let weights = try #require(
      AlignedMemory(byteCount: kernel.weightBytes(outputs: outputs, words: words)))
    let arranged = try #require(
      AlignedMemory(byteCount: kernel.arrangedBytes(rows: rows, words: words)))
    var out = [Int32](repeating: .min, count: rows * (outputs + 3) + 1)
    // The halves of a row lie in runs of five, or apart from each other in an order of their own.
    let halves = words * 2 - (words == 1 && left.allSatisfy { $0 >> 32 == 0 } ? 1 : 0)
    let offsets = (0..<halves).map { half in
      if outputs % 2 == 0 { return UInt32(half / 5 * 7 + half % 5) }
      return UInt32(halves % 7 == 0 ? half : half * 7 % halves * 2)
    }
    var scattered = [UInt32](repeating: .max, count: rows * words * 4 + 1)
    for row in 0..<rows {
      for half in 0..<halves {
        let word = left[row * words + half / 2]
        scattered[row * words * 4 + Int(offsets[half])] = UInt32(
          truncatingIfNeeded: word >> UInt64(half % 2 * 32))
      }
    }
    scattered.withUnsafeBufferPointer { left in
      (right + [0]).withUnsafeBufferPointer { right in
        bases.withUnsafeBufferPointer { bases in
          guard let right = right.baseAddress, let bases = bases.baseAddress,
            let left = left.baseAddress
          else { return }
          kernel.packWeights(outputs: outputs, words: words, rows: right, into: weights.base)
          let pointers: [UnsafePointer<Int32>?] = (0..<rows).map { bases + $0 * outputs }
          let rowPointers: [UnsafePointer<UInt32>?] = (0..<rows).map { left + $0 * words * 4 }
          rowPointers.withUnsafeBufferPointer { rowPointers in
            offsets.withUnsafeBufferPointer { offsets in
              guard let rowPointers = rowPointers.baseAddress, let offsets = offsets.baseAddress
              else { return }
              let bits = BitRows(count: rows, halves: halves, rows: rowPointers, offsets: offsets)
              kernel.arrange(bits, into: arranged.base)
              kernel.multiply(
                bits, arranged: arranged.base, outputs: outputs, packedWeights: weights.base,
                next: nil, bases: pointers, out: &out, stride: outputs + 3)
            }
          }
        }
      }
    }
    return out
  }
}
