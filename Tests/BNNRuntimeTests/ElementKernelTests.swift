import BNNTestSupport
import BNNTensor
import Testing

@testable import BNNRuntime

/// Pointwise, threshold and bit kernels against the same in plain Swift, on sizes around the ends
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

  @Test(arguments: boundarySizes) func rowSteps(channels: Int) {
    var random = SeededGenerator(seed: channels)
    let rows = 3
    let x = numbers(rows * channels, &random)
    let (a, b) = (numbers(channels, &random), numbers(channels, &random))
    for kernel in PointwiseKernel.supported {
      var y = [Float](repeating: 7, count: x.count)
      kernel.affine(rows: rows, channels: channels, x, scale: a, bias: b, to: &y)
      expectSame(y, x.indices.map { x[$0] * a[$0 % channels] + b[$0 % channels] }, kernel.name)
      kernel.slopes(rows: rows, channels: channels, x, positive: a, negative: b, to: &y)
      expectSame(
        y, x.indices.map { x[$0] * (x[$0] < 0 ? b[$0 % channels] : a[$0 % channels]) }, kernel.name)
    }
  }

  @Test(arguments: boundarySizes) func elementSteps(count: Int) {
    var random = SeededGenerator(seed: count)
    let (a, b) = (numbers(count, &random), numbers(count, &random))
    let integers = (0..<count).map { _ in Int32.random(in: .min ... .max, using: &random) }
    func larger(_ a: Float, _ b: Float) -> Float { b > a || a.isNaN ? b : a }
    func smaller(_ a: Float, _ b: Float) -> Float { b < a || a.isNaN ? b : a }
    for kernel in PointwiseKernel.supported {
      var y = [Float](repeating: 7, count: count)
      kernel.clamp(count, a, lower: -0.5, upper: 2, to: &y)
      expectSame(
        y, a.map { propagatingMinimum(propagatingMaximum($0, -0.5), 2) }, "clamp \(kernel.name)")
      kernel.relu(count, a, to: &y)
      expectSame(y, PointwiseFunction.relu.applied(to: a), "relu \(kernel.name)")
      kernel.add(count, a, b, to: &y)
      expectSame(y, zip(a, b).map { $0 + $1 }, "add \(kernel.name)")
      kernel.multiply(count, a, b, to: &y)
      expectSame(y, zip(a, b).map { $0 * $1 }, "multiply \(kernel.name)")
      kernel.add(count, a, scalar: 0.3, to: &y)
      expectSame(y, a.map { $0 + 0.3 }, "add scalar \(kernel.name)")
      kernel.multiply(count, a, scalar: 0.3, to: &y)
      expectSame(y, a.map { $0 * 0.3 }, "multiply scalar \(kernel.name)")
      kernel.divide(count, a, by: 9, to: &y)
      expectSame(y, a.map { $0 / 9 }, "divide \(kernel.name)")
      kernel.maximum(count, a, b, to: &y)
      expectSame(y, zip(a, b).map(larger), "maximum \(kernel.name)")
      kernel.minimum(count, a, b, to: &y)
      expectSame(y, zip(a, b).map(smaller), "minimum \(kernel.name)")
      kernel.convert(count, integers, to: &y)
      expectSame(y, integers.map { Float($0) }, "convert \(kernel.name)")
    }
  }

  /// A fused multiply-add would return the rounding error of the product; two roundings give 0.
  @Test func affineRoundsTwice() {
    var random = SeededGenerator(seed: 5)
    let x = random.reals(1000)
    let scale = random.reals(1000)
    let bias = zip(x, scale).map { -($0 * $1) }
    let isInformative = x.indices.contains { bias[$0].addingProduct(x[$0], scale[$0]) != 0 }
    #expect(isInformative)
    for kernel in PointwiseKernel.supported {
      var y = [Float](repeating: 7, count: 1000)
      kernel.affine(rows: 1, channels: 1000, x, scale: scale, bias: bias, to: &y)
      #expect(y.allSatisfy { $0 == 0 }, "\(kernel.name)")
    }
  }

  @Test(arguments: boundarySizes) func thresholds(channels: Int) {
    var random = SeededGenerator(seed: channels)
    let rows = 2
    let words = (channels + 63) / 64
    let integers = (0..<rows * channels).map { _ in
      random.pick([Int32.min, -1, 0, 1, 2, 3, .max])
    }
    let floats = numbers(rows * channels, &random)
    let (lower, upper) = (random.integers(channels), random.integers(channels))
    let inside = (0..<channels).map { _ in random.bool() }
    var outside = [UInt64](repeating: 0, count: words)
    for channel in 0..<channels where !inside[channel] {
      outside[channel / 64] |= 1 << UInt64(channel % 64)
    }
    func expected(_ test: (Int, Int) -> Bool) -> [UInt64] {
      var bits = [UInt64](repeating: 0, count: rows * words)
      for row in 0..<rows {
        for channel in 0..<channels where test(row * channels + channel, channel) {
          bits[row * words + channel / 64] |= 1 << UInt64(channel % 64)
        }
      }
      return bits
    }
    let real = Thresholds(lower: lower, upper: upper, insideIsPlus: inside)
    let whole = Thresholds(
      lower: lower.map { Int32($0) }, upper: upper.map { Int32($0) }, insideIsPlus: inside)
    for kernel in ThresholdKernel.supported {
      var bits = [UInt64](repeating: .max, count: rows * words)
      kernel.test(
        rows: rows, channels: channels, floats, lower: lower, upper: upper, outsideIsPlus: outside,
        to: &bits)
      #expect(bits == expected { real.isPlus(floats[$0], channel: $1) }, "\(kernel.name)")
      kernel.test(
        rows: rows, channels: channels, integers, lower: whole.lower, upper: whole.upper,
        outsideIsPlus: outside, to: &bits)
      #expect(bits == expected { whole.isPlus(integers[$0], channel: $1) }, "\(kernel.name)")
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
      kernel.pool(words: words, from, inverted: inverted, into: &pooled)
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
      for (rows, outputs) in [(0, 1), (1, 1), (5, 7), (6, 16), (7, 17), (13, 33), (2, 8), (3, 0)] {
        let a = random.integers(rows * (depth + 2) + 1)
        let weights = random.integers(outputs * depth + 1)
        let packed = try #require(
          AlignedMemory(byteCount: kernel.weightBytes(outputs: outputs, depth: depth)))
        let pointer = packed.pointer(to: Float.self)
        kernel.packWeights(outputs: outputs, depth: depth, rows: weights, into: pointer)
        var out = [Float](repeating: 0.5, count: rows * (outputs + 1) + 1)
        kernel.multiply(
          rows: rows, outputs: outputs, depth: depth, a: a, aStride: depth + 2,
          packedWeights: pointer, out: &out, stride: outputs + 1)
        var expected = [Float](repeating: 0.5, count: out.count)
        for row in 0..<rows {
          for output in 0..<outputs {
            var sum: Float = 0
            for k in 0..<depth { sum += a[row * (depth + 2) + k] * weights[output * depth + k] }
            expected[row * (outputs + 1) + output] = sum
          }
        }
        #expect(out == expected, "\(kernel.name) \(rows)×\(outputs)")
      }
    }
  }
}
