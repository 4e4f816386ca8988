import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNRuntime

/// Epilogue kernels against the same in plain Swift, on channels around the ends of their blocks.
@Suite struct EpilogueKernelTests {
  private static let channels = boundarySizes + [15, 16, 17, 47, 48, 49, 80]

  private struct Case {
    let rows = 3
    let channels: Int
    let integers: [Int32]
    let floats: [Float]
    /// Two parameters, padded to whole blocks.
    let a: [Float]
    let b: [Float]
    /// As large as the result.
    let operand: [Float]
    let thresholds: Thresholds<Float>
    let outside: [UInt64]
    var words: Int { (channels + 63) / 64 }

    init(channels: Int) {
      self.channels = channels
      var random = SeededGenerator(seed: channels)
      func numbers(_ count: Int) -> [Float] {
        (0..<count).map { _ in
          random.bool()
            ? random.pick(ElementKernelTests.specials) : Float.random(in: -3...3, using: &random)
        }
      }
      func padded(_ list: [Float]) -> [Float] {
        list + [Float](repeating: 0, count: (64 - channels % 64) % 64)
      }
      integers = (0..<3 * channels).map { _ in
        random.bool() ? random.pick([.min, -1, 0, 1, 2, 3, .max]) : Int32(random.next() % 99)
      }
      floats = numbers(3 * channels)
      (a, b) = (padded(numbers(channels)), padded(numbers(channels)))
      operand = numbers(3 * channels)
      thresholds = Thresholds(
        lower: random.integers(channels), upper: random.integers(channels),
        insideIsPlus: (0..<channels).map { _ in random.bool() })
      var outside = [UInt64](repeating: 0, count: (channels + 63) / 64)
      for channel in 0..<channels where !thresholds.insideIsPlus[channel] {
        outside[channel / 64] |= 1 << UInt64(channel % 64)
      }
      self.outside = outside
    }

    func bits(_ test: (Int, Int) -> Bool) -> [UInt64] {
      var bits = [UInt64](repeating: 0, count: rows * words)
      for row in 0..<rows {
        for channel in 0..<channels where test(row * channels + channel, channel) {
          bits[row * words + channel / 64] |= 1 << UInt64(channel % 64)
        }
      }
      return bits
    }
  }

  /// Each step alone and all in a row, from integers and floats, to numbers and bits.
  @Test(arguments: channels) func steps(channels: Int) {
    let c = Case(channels: channels)
    c.a.withUnsafeBufferPointer { a in
      c.b.withUnsafeBufferPointer { b in
        c.operand.withUnsafeBufferPointer { operand in
          guard let a = a.baseAddress, let b = b.baseAddress, let operand = operand.baseAddress
          else { return }
          func combined(_ isProduct: Bool, _ isScalar: Bool, _ stride: Int) -> EpilogueStep {
            .combine(isProduct: isProduct, isScalar: isScalar, stride: stride)
              .with(operand: operand)
          }
          let steps: [(EpilogueStep, (Float, Int) -> Float)] = [
            (.affine(scale: a, bias: b), { x, i in x * c.a[i % channels] + c.b[i % channels] }),
            (.relu, { x, _ in PointwiseFunction.relu.applied(to: [x])[0] }),
            (
              .slopes(positive: a, negative: b),
              { x, i in x * (x < 0 ? c.b[i % channels] : c.a[i % channels]) }
            ),
            (combined(false, false, channels), { x, i in x + c.operand[i] }),
            (combined(true, false, channels), { x, i in x * c.operand[i] }),
            (combined(false, false, 0), { x, i in x + c.operand[i % channels] }),
            (combined(true, true, 1), { x, i in x * c.operand[i / channels] }),
            (combined(false, true, 0), { x, _ in x + c.operand[0] }),
            (
              .clamp(lower: -0.5, upper: 2),
              { x, _ in propagatingMinimum(propagatingMaximum(x, -0.5), 2) }
            ),
          ]
          for kernel in EpilogueKernel.supported {
            for step in steps { check(kernel, c, [step]) }
            check(kernel, c, steps)
            check(kernel, c, [])
          }
        }
      }
    }
  }

  private func check(
    _ kernel: EpilogueKernel, _ c: Case, _ steps: [(EpilogueStep, (Float, Int) -> Float)]
  ) {
    for source in [c.floats, c.integers.map { Float($0) }] {
      let isInteger = source != c.floats && c.channels > 0
      let expected = source.indices.map { i in steps.reduce(source[i]) { $1.1($0, i) } }
      var values = [Float](repeating: 7, count: source.count)
      var bits = [UInt64](repeating: .max, count: c.rows * c.words)
      c.thresholds.lower.withUnsafeBufferPointer { lower in
        c.thresholds.upper.withUnsafeBufferPointer { upper in
          let pad = [Float](repeating: 0, count: 64)
          let (lower, upper) = (Array(lower) + pad, Array(upper) + pad)
          steps.map(\.0).withUnsafeBufferPointer { list in
            run(kernel, c, isInteger, list, lower, upper, &values, &bits)
          }
        }
      }
      let isSame = zip(values, expected).allSatisfy {
        $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN)
      }
      #expect(isSame, "\(kernel.name) \(c.channels)")
      #expect(bits == c.bits { c.thresholds.isPlus(expected[$0], channel: $1) }, "\(kernel.name)")
    }
  }

  private func run(
    _ kernel: EpilogueKernel, _ c: Case, _ isInteger: Bool,
    _ steps: UnsafeBufferPointer<EpilogueStep>, _ lower: [Float], _ upper: [Float],
    _ values: inout [Float], _ bits: inout [UInt64]
  ) {
    lower.withUnsafeBytes { lower in
      upper.withUnsafeBytes { upper in
        (c.outside + [0]).withUnsafeBufferPointer { outside in
          c.floats.withUnsafeBufferPointer { floats in
            c.integers.withUnsafeBufferPointer { integers in
              values.withUnsafeMutableBufferPointer { values in
                bits.withUnsafeMutableBufferPointer { bits in
                  guard let lower = lower.baseAddress, let upper = upper.baseAddress,
                    let outside = outside.baseAddress, let floats = floats.baseAddress,
                    let integers = integers.baseAddress
                  else { return }
                  kernel.run(
                    rows: c.rows, channels: c.channels,
                    isInteger
                      ? .integers(integers, channels: 0..<c.channels)
                      : .floats(floats, channels: 0..<c.channels, step: c.channels), steps,
                    to: .init(
                      values: values.baseAddress, step: c.channels,
                      test: .init(lower: lower, upper: upper, outsideIsPlus: outside),
                      bits: bits.baseAddress))
                }
              }
            }
          }
        }
      }
    }
  }

  @Test(arguments: channels) func accumulators(channels: Int) {
    let c = Case(channels: channels)
    let pad = [Int32](repeating: 0, count: 64)
    let lower = c.thresholds.lower.map { Int32($0) }
    let upper = c.thresholds.upper.map { Int32($0) }
    let whole = Thresholds(lower: lower, upper: upper, insideIsPlus: c.thresholds.insideIsPlus)
    for kernel in EpilogueKernel.supported {
      var bits = [UInt64](repeating: .max, count: c.rows * c.words + 1)
      (lower + pad).withUnsafeBytes { lower in
        (upper + pad).withUnsafeBytes { upper in
          (c.outside + [0]).withUnsafeBufferPointer { outside in
            guard let lower = lower.baseAddress, let upper = upper.baseAddress,
              let outside = outside.baseAddress
            else { return }
            kernel.test(
              rows: c.rows, channels: 0..<channels, of: channels, c.integers,
              .init(lower: lower, upper: upper, outsideIsPlus: outside), to: &bits)
          }
        }
      }
      #expect(
        bits == c.bits { whole.isPlus(c.integers[$0], channel: $1) } + [.max], "\(kernel.name)")
    }
  }

  /// A fused multiply-add would return the rounding error of the product; two roundings give 0.
  @Test func affineRoundsTwice() {
    var random = SeededGenerator(seed: 5)
    let x = random.reals(1024)
    let scale = random.reals(1024)
    let bias = zip(x, scale).map { -($0 * $1) }
    let isInformative = x.indices.contains { bias[$0].addingProduct(x[$0], scale[$0]) != 0 }
    #expect(isInformative)
    for kernel in EpilogueKernel.supported {
      var y = [Float](repeating: 7, count: 1024)
      scale.withUnsafeBufferPointer { scale in
        bias.withUnsafeBufferPointer { bias in
          x.withUnsafeBufferPointer { x in
            y.withUnsafeMutableBufferPointer { y in
              guard let scale = scale.baseAddress, let bias = bias.baseAddress,
                let x = x.baseAddress
              else { return }
              withUnsafePointer(to: EpilogueStep.affine(scale: scale, bias: bias)) {
                kernel.run(
                  rows: 1, channels: 1024, .floats(x, channels: 0..<1024, step: 1024),
                  UnsafeBufferPointer(start: $0, count: 1),
                  to: .init(values: y.baseAddress, step: 1024))
              }
            }
          }
        }
      }
      #expect(y.allSatisfy { $0 == 0 }, "\(kernel.name)")
    }
  }
}
