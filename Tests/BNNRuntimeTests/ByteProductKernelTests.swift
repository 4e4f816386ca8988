import BNNTestSupport
import Testing

@testable import BNNRuntime

/// Byte kernels against plain loops, on sizes around the ends of their tiles and with the largest
/// bytes and weights, where 16 bits overflow.
@Suite struct ByteProductKernelTests {
  @Test(arguments: [0, 1, 2, 3, 7, 16, 42, 65]) func agreesWithPlainSums(depth: Int) throws {
    var random = SeededGenerator(seed: depth)
    for kernel in ByteProductKernel.supported {
      for (rows, outputs) in [
        (0, 1), (1, 1), (2, 3), (5, 7), (6, 16), (7, 17), (13, 33), (2, 8), (3, 0), (8, 64),
        (3, 120), (12, 65),
      ] {
        let space = depth * 5 + 3
        let bytes = (0..<rows * space + 4).map { _ -> UInt8 in
          random.pick([0, 255, UInt8.random(in: 0...255, using: &random)])
        }
        let weights = (0..<outputs * depth * 4 + 1).map { _ -> Int8 in
          random.pick([-127, 127, Int8.random(in: -127...127, using: &random)])
        }
        let bases = (0..<outputs + 1).map { _ in
          Int32.random(in: -999_999...999_999, using: &random)
        }
        // The last group of a row comes first, none on a multiple of four.
        let offsets = (0..<depth).map { UInt32((depth - 1 - $0) * 5 + 1) }
        let found = try product(kernel, rows, outputs, bytes, space, offsets, weights, bases)
        var expected = [Int32](repeating: 7, count: found.count)
        for row in 0..<rows {
          for output in 0..<outputs {
            var sum = bases[output]
            for k in 0..<depth * 4 {
              let byte = bytes[row * space + Int(offsets[k / 4]) + k % 4]
              sum += Int32(byte) * Int32(weights[output * depth * 4 + k])
            }
            expected[row * (outputs + 1) + output] = sum
          }
        }
        #expect(found == expected, "\(kernel.name) \(rows)×\(outputs)")
      }
    }
  }

  /// Sums wrap around on the way and end inside 32 bits.
  @Test func sumsMayWrapOnTheWay() throws {
    for kernel in ByteProductKernel.supported {
      let depth = 1 << 14
      let found = try product(
        kernel, 1, 1, .init(repeating: 255, count: depth * 4), 0,
        (0..<depth).map { UInt32($0 * 4) }, .init(repeating: 127, count: depth * 4), [.max])
      let exact = Int64(depth * 4 * 255 * 127) + Int64(Int32.max)
      #expect(found[0] == Int32(truncatingIfNeeded: exact), "\(kernel.name)")
    }
  }

  private func product(
    _ kernel: ByteProductKernel, _ rows: Int, _ outputs: Int, _ bytes: [UInt8], _ space: Int,
    _ offsets: [UInt32], _ weights: [Int8], _ bases: [Int32]
  ) throws -> [Int32] {
    let depth = offsets.count
    let packed = try #require(
      AlignedMemory(byteCount: kernel.weightBytes(outputs: outputs, depth: depth)))
    kernel.packWeights(outputs: outputs, depth: depth, rows: weights, into: packed.base)
    var out = [Int32](repeating: 7, count: rows * (outputs + 1) + 1)
    bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      let pointers: [UnsafePointer<UInt8>?] = (0..<rows).map { base + $0 * space }
      (pointers + [nil]).withUnsafeBufferPointer { pointers in
        (offsets + [0]).withUnsafeBufferPointer { offsets in
          guard let pointers = pointers.baseAddress, let offsets = offsets.baseAddress else {
            return
          }
          kernel.multiply(
            ByteRows(count: rows, depth: depth, rows: pointers, offsets: offsets),
            outputs: outputs, packedWeights: packed.base, bases: bases, out: &out,
            stride: outputs + 1)
        }
      }
    }
    return out
  }

  @Test(arguments: boundarySizes) func quantizes(count: Int) {
    var random = SeededGenerator(seed: count)
    for zero in [0, 1, 128, 255] as [UInt8] {
      for scale in [1, 0.0078125, 3.7, 0x1p-126, 0x1p126] as [Float] {
        let numbers = (0..<count).map { _ -> Float in
          switch Int.random(in: 0..<4, using: &random) {
          // Halves are where rounding decides.
          case 0: Float(Int.random(in: -520...520, using: &random)) * 0.5 * scale
          case 1: Float.random(in: -300...300, using: &random) * scale
          default: random.pick([.nan, .infinity, -.infinity, 0, -0, .greatestFiniteMagnitude])
          }
        }
        let inverse = 1 / scale
        let expected = numbers.map { x -> UInt8 in
          let scaled = x * inverse
          guard !scaled.isNaN else { return 0 }
          let whole = Double(scaled).rounded(.toNearestOrEven) + Double(zero)
          return UInt8(min(max(whole, 0), 255))
        }
        for kernel in ByteProductKernel.supported {
          var found = [UInt8](repeating: 9, count: count + 1)
          kernel.quantize(count, numbers, inverseScale: inverse, zero: zero, to: &found)
          #expect(found == expected + [9], "\(kernel.name), zero \(zero), scale \(scale)")
        }
      }
    }
  }
}
