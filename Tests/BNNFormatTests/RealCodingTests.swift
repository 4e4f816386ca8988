import BNNTensor
import BNNTestSupport
import Testing

@testable import BNNFormat

/// Shorter forms of real numbers and integers: taken where they are exact, never else.
@Suite struct RealCodingTests {
  @Test func everyFloat16IsExact() throws {
    let halves = (0...UInt16.max).map { $0 }
    let words = halves.map(RealCodings.expanded)
    #expect(RealCodings.float16(words) == halves)
    // The rounding of tensors is another way to the same numbers.
    for word in words {
      let number = Float(bitPattern: word)
      guard !number.isNaN else { continue }
      #expect(number.rounded(to: .float16) == number)
    }
    #expect(Float(bitPattern: RealCodings.expanded(0x3C01)) == 0x1.004p0)
    #expect(Float(bitPattern: RealCodings.expanded(0x8001)) == -0x1p-24)
    #expect(Float(bitPattern: RealCodings.expanded(0x7BFF)) == 65504)
  }

  @Test func otherNumbersAreNoFloat16() {
    let numbers: [Float] = [
      65505, 65536, -0x1p-25, 0x1.8p-24, 0x1.002p0, .leastNormalMagnitude,
      .leastNonzeroMagnitude, Float(bitPattern: 0x7F80_0001), Float(bitPattern: 0x7FC0_1000),
    ]
    for number in numbers {
      #expect(RealCodings.float16([number.bitPattern]) == nil, "\(number)")
      #expect(RealCodings.float16([0, number.bitPattern]) == nil)
    }
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<100_000 {
      let word = UInt32(truncatingIfNeeded: generator.next())
      let halves = RealCodings.float16([word])
      #expect(halves.map { $0.map(RealCodings.expanded) } ?? [word] == [word])
    }
  }

  @Test func bfloat16IsTheUpperHalf() {
    #expect(RealCodings.bfloat16([0x7FC1_0000, 0x8000_0000]) == [0x7FC1, 0x8000])
    #expect(RealCodings.bfloat16([0x3F80_0001]) == nil)
  }

  private func row(_ numbers: [Float]) -> (scales: [UInt32], bytes: [UInt8])? {
    let words = numbers.map(\.bitPattern)
    guard let rows = RealCodings.int8Rows(words, rows: 1) else { return nil }
    #expect(RealCodings.expanded(scales: rows.scales, bytes: rows.bytes) == words)
    return rows
  }

  @Test func roundedRowsAreFound() throws {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<500 {
      let numbers = SampleModels.bells(40, using: &generator)
      let scale = try #require(numbers.map(\.magnitude).max()) / 127
      #expect(row(numbers.map { ($0 / scale).rounded() * scale + 0 }) != nil)
      // Any scale, and a row that does not use the largest bytes.
      let other = Float.random(in: 1e-6...1e6, using: &generator)
      #expect(row(numbers.map { ($0 * 50).rounded() * other + 0 }) != nil)
    }
    #expect(row([0, 0, 0]) != nil)
    #expect(row([-128, 127, 3])?.bytes == [0x80, 127, 3])
    #expect(row([0.5, -0.25])?.scales.count == 1)
  }

  @Test func rowsThatRoundingWouldChangeAreNot() {
    #expect(row([1, -0.0]) == nil)
    #expect(row([0, -0.0]) == nil)
    #expect(row([1, .nan]) == nil)
    #expect(row([1, .infinity]) == nil)
    #expect(row([1, Float(1).nextUp, 1e-3]) == nil)
    #expect(RealCodings.int8Rows([1, 2, 3], rows: 2) == nil)
    #expect(RealCodings.int8Rows([], rows: 0) == nil)
  }

  private func coding(_ elements: [Int64], _ type: ElementType) throws -> StoredTensor.Coding {
    var pool = TensorPool()
    _ = pool.array(Tensor(elements, shape: [elements.count], elementType: type))
    let coded = pool.tensors[0].smallest(of: StoredTensor.Coding.allCases)
    #expect(try coded.decoded() == pool.tensors[0])
    return coded.coding
  }

  @Test func integersTakeTheBytesThatTheyNeed() throws {
    var generator = SeededGenerator(seed: 6)
    func numbers(_ range: ClosedRange<Int64>) -> [Int64] {
      [range.lowerBound, range.upperBound]
        + (0..<40).map { _ in Int64.random(in: range, using: &generator) }
    }
    for type in [ElementType.int32, .int64] {
      #expect(try coding(numbers(-128...127), type) == .int8)
      #expect(try coding(numbers(-129...127), type) == .int16)
      #expect(try coding(numbers(-32768...32767), type) == .int16)
    }
    #expect(try coding(numbers(-32768...40000), .int64) == .int32)
    #expect(try coding(numbers(Int64(Int32.min)...Int64(Int32.max)), .int64) == .int32)
    #expect(try coding(numbers(Int64(Int32.min)...Int64(Int32.max)), .int32) == .raw)
    #expect(try coding(numbers(.min ... .max), .int64) == .raw)
    #expect(try coding([5], .int32) == .int8)
  }
}
