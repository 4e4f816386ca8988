import BNNTestSupport
import BNNTensor
import Testing

@testable import BNNRuntime

/// Pointwise and bit kernels against the same in plain Swift, on sizes around the ends
/// of their vectors.
@Suite struct ElementKernelTests {
  /// Numbers where comparisons and signs of zero go wrong first.
  static let specials: [Float] = [0, -0, .nan, .infinity, -.infinity, 1, -1, 2.5]

  private func numbers(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in
      random.bool() ? random.pick(Self.specials) : Float.random(in: -3...3, using: &random)
    }
  }

  private func isSet(_ words: [UInt64], _ bit: Int) -> Bool {
    words[bit / 64] & (1 << UInt64(bit % 64)) != 0
  }

  private func expectSame(
    _ found: [Float], _ expected: [Float], _ comment: String,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let isSame = zip(found, expected).allSatisfy { a, b in
      a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN)
    }
    #expect(found.count == expected.count && isSame, "\(comment)", sourceLocation: location)
  }

  @Test(arguments: boundarySizes) func elementSteps(count: Int) {
    var random = SeededGenerator(seed: count)
    let (a, b) = (numbers(count, &random), numbers(count, &random))
    for kernel in PointwiseKernel.supported {
      var y = [Float](repeating: 7, count: count)
      let operations: [(PointwiseKernel.Arithmetic, (Float, Float) -> Float)] = [
        (.add, { $0 + $1 }), (.subtract, { $0 - $1 }), (.multiply, { $0 * $1 }),
        (.divide, { $0 / $1 }),
      ]
      for (operation, body) in operations {
        for (aStep, bStep) in [(1, 1), (1, 0), (0, 1), (0, 0)] {
          kernel.combine(operation, count, a, step: aStep, b, step: bStep, to: &y)
          expectSame(
            y, (0..<count).map { body(a[$0 * aStep], b[$0 * bStep]) },
            "\(operation) with steps \(aStep) and \(bStep) \(kernel.name)")
        }
        kernel.combine(operation, count, a, 9, to: &y)
        expectSame(y, a.map { body($0, 9) }, "\(operation) of 9 \(kernel.name)")
      }
    }
  }

  @Test(arguments: boundarySizes) func maximaAndSums(count: Int) {
    var random = SeededGenerator(seed: count)
    let (integers, any) = (random.integers(count), numbers(count, &random))
    for kernel in PointwiseKernel.supported {
      #expect(kernel.sum(count, integers) == integers.reduce(0, +), "\(kernel.name)")
      for x in [integers, any] {
        expectSame(
          [kernel.maximum(count, x)], [x.reduce(-.infinity, propagatingMaximum)], kernel.name)
      }
    }
  }

  static let functions: [PointwiseFunction] = [
    .absolute, .reciprocal, .squareRoot, .exponential, .logarithm, .floor, .ceiling,
    .roundHalfToEven, .sigmoid, .tanh, .erf, .softplus, .softsign, .sign, .leakyRelu(alpha: 0.1),
    .elu(alpha: 1.25), .selu(alpha: 1.6732632, gamma: 1.0507009), .celu(alpha: 0.75),
    .hardSigmoid(alpha: 0.2, beta: 0.5), .hardSwish, .gelu(tanhApproximation: false),
    .gelu(tanhApproximation: true), .sine,
  ]

  /// All exponents, and the numbers where something happens.
  @Test(arguments: functions) func functionsOfOneNumber(function: PointwiseFunction) {
    var random = SeededGenerator(seed: 3)
    for count in boundarySizes + [5000] {
      var x = numbers(count, &random)
      for index in x.indices where random.bool() {
        x[index] = Float(bitPattern: UInt32.random(in: 0...(.max), using: &random))
      }
      let expected = function.applied(to: x)
      for kernel in PointwiseKernel.supported {
        var y = [Float](repeating: 7, count: count)
        kernel.apply(function, count, x, to: &y)
        expectSame(y, expected, "\(function) of \(count) \(kernel.name)")
        y = x
        y.withUnsafeMutableBufferPointer {
          guard let first = $0.baseAddress else { return }
          kernel.apply(function, count, UnsafePointer(first), to: first)
        }
        expectSame(y, expected, "\(function) of \(count) in place \(kernel.name)")
      }
    }
  }

  @Test(arguments: boundarySizes) func bits(count: Int) {
    var random = SeededGenerator(seed: count)
    let words = (count + 63) / 64
    func row() -> [UInt64] { (0..<words).map { _ in random.next() } }
    let (from, inverted, to) = (row(), row(), row())
    let two = row() + row()
    for kernel in BitKernel.supported {
      var pooled = to
      kernel.pool(rows: 1, words: words, from, step: words, inverted: inverted, into: &pooled)
      let expected = (0..<words).map { index -> UInt64 in
        let all = from[index] & to[index]
        let any = from[index] | to[index]
        return (all & inverted[index]) | (any & ~inverted[index])
      }
      #expect(pooled == expected, "\(kernel.name)")
      var unpacked = [Float](repeating: 7, count: 2 * count)
      kernel.unpack(rows: 2, channels: count, two, to: &unpacked)
      var signs: [Float] = []
      for row in 0..<2 {
        for bit in 0..<count { signs.append(isSet(two, row * words * 64 + bit) ? 1 : -1) }
      }
      #expect(unpacked == signs, "\(kernel.name)")
    }
  }

  @Test(arguments: boundarySizes) func copyBits(count: Int) {
    var random = SeededGenerator(seed: count)
    for (fromBit, toBit) in [(0, 0), (1, 0), (0, 1), (63, 1), (5, 64), (64, 63), (130, 7)] {
      let from = (0..<(fromBit + count + 63) / 64).map { _ in random.next() }
      let before = (0..<(toBit + count + 63) / 64).map { _ in random.next() }
      var to = before
      BitKernel.copy(count, from: from, at: fromBit, to: &to, at: toBit)
      for bit in 0..<to.count * 64 {
        let isCopied = bit >= toBit && bit < toBit + count
        let expected = isCopied ? isSet(from, bit - toBit + fromBit) : isSet(before, bit)
        #expect(isSet(to, bit) == expected)
      }
    }
  }

  /// Integers, so that every order of summing gives the same.
  @Test(arguments: [0, 1, 7, 8, 9, 63, 147]) func floatProduct(depth: Int) throws {
    var random = SeededGenerator(seed: depth)
    for kernel in FloatProductKernel.supported {
      for (rows, outputs) in [
        (0, 1), (1, 1), (5, 7), (6, 16), (7, 17), (13, 33), (2, 8), (3, 0), (8, 64), (3, 120),
      ] {
        let a = random.integers(rows * (depth + 2) + 1)
        let weights = random.integers(outputs * depth + 1)
        let packed = try #require(
          AlignedMemory(
            byteCount: FloatProductKernel.weightBytes(outputs: outputs, depth: depth)))
        let pointer = packed.pointer(to: Float.self)
        FloatProductKernel.packWeights(
          outputs: outputs, depth: depth, rows: weights, into: pointer)
        var out = [Float](repeating: 0.5, count: rows * (outputs + 1) + 1)
        // The last element of a row comes first.
        let offsets = (0..<depth).map { UInt32(depth - 1 - $0) }
        a.withUnsafeBufferPointer { a in
          guard let base = a.baseAddress else { return }
          let pointers: [UnsafePointer<Float>?] = (0..<rows).map { base + $0 * (depth + 2) }
          (pointers + [nil]).withUnsafeBufferPointer { pointers in
            (offsets + [0]).withUnsafeBufferPointer { offsets in
              guard let pointers = pointers.baseAddress, let offsets = offsets.baseAddress
              else { return }
              kernel.multiply(
                FloatRows(count: rows, depth: depth, rows: pointers, offsets: offsets),
                outputs: outputs, packedWeights: pointer, out: &out, stride: outputs + 1)
            }
          }
        }
        var expected = [Float](repeating: 0.5, count: out.count)
        for row in 0..<rows {
          for output in 0..<outputs {
            var sum: Float = 0
            for k in 0..<depth {
              sum += a[row * (depth + 2) + depth - 1 - k] * weights[output * depth + k]
            }
            expected[row * (outputs + 1) + output] = sum
          }
        }
        #expect(out == expected, "\(kernel.name) \(rows)×\(outputs)")
      }
    }
  }
}
