import BNNTensor
import Testing

@Suite struct TensorTests {
  @Test func conversionsBetweenStorages() {
    let floats = Tensor([-1.9, 0, 1.9] as [Float], shape: [3])
    #expect(floats.integers == [-1, 0, 1])
    #expect(floats.bools == [true, false, true])
    #expect(floats.doubles == [Double(Float(-1.9)), 0, Double(Float(1.9))])
    let integers = Tensor([-2, 0] as [Int64], shape: [2], elementType: .int8)
    #expect(integers.floats == [-2, 0])
    #expect(integers.bools == [true, false])
    let bools = Tensor([true, false], shape: [2])
    #expect(bools.floats == [1, 0])
    #expect(bools.integers == [1, 0])
    let signs = Tensor(PackedTensor(shape: [2]) { $0 == 0 })
    #expect(signs.floats == [1, -1])
    #expect(signs.integers == [1, -1])
    #expect(signs.doubles == [1, -1])
  }

  @Test func floatsThatAreNoIntegersSaturate() {
    let tensor = Tensor([.nan, .infinity, -.infinity, 1e30] as [Double], shape: [4])
    #expect(tensor.integers == [0, .max, .min, .max])
  }

  @Test func equalityIsByBits() {
    let a = Tensor([.nan, 0] as [Float], shape: [2])
    #expect(a == Tensor([.nan, 0] as [Float], shape: [2]))
    #expect(a != Tensor([.nan, -0.0] as [Float], shape: [2]))
    #expect(a != a.reshaped(to: [1, 2]))
    #expect(
      Tensor([1] as [Int64], shape: [1]) != Tensor([1] as [Int64], shape: [1], elementType: .int8))
    #expect(Tensor([1] as [Float], shape: [1]) != Tensor([1] as [Double], shape: [1]))
  }

  @Test func bytes() {
    #expect(Tensor([1, 2, 3] as [Float], shape: [3]).byteCount == 12)
    #expect(Tensor([1, 2] as [Float], shape: [2], elementType: .bfloat16).byteCount == 4)
    #expect(Tensor(PackedTensor(shape: [9]) { _ in true }).byteCount == 2)
    #expect(Tensor([true, false, true], shape: [3]).byteCount == 3)
  }
}

@Suite struct RoundingTests {
  /// Halfway cases, the smallest subnormal, and the largest finite number.
  @Test(
    arguments: [
      (1, 1), (1 + 0x1p-11, 1), (1 + 0x1p-11 + 0x1p-20, 1 + 0x1p-10), (1 + 0x3p-11, 1 + 0x1p-9),
      (65504, 65504), (65519.996, 65504), (65520, .infinity), (-65520, -.infinity),
      (0x1p-24, 0x1p-24), (0x1p-25, 0), (0x1.8p-25, 0x1p-24), (0x1.8p-24, 0x1p-23),
      (0x1p-14 - 0x1p-26, 0x1p-14), (1e-30, 0), (.infinity, .infinity), (1e38, .infinity),
    ] as [(Float, Float)])
  func half(x: Float, expected: Float) {
    #expect(x.rounded(to: .float16) == expected)
    #expect((-x).rounded(to: .float16) == -expected)
  }

  @Test(
    arguments: [
      (1, 1), (1 + 0x1p-8, 1), (1 + 0x1p-8 + 0x1p-20, 1 + 0x1p-7), (1 + 0x3p-8, 1 + 0x1p-6),
      (0x1.fep127, 0x1.fep127), (.greatestFiniteMagnitude, .infinity), (.infinity, .infinity),
      (0x1p-133, 0x1p-133), (0x1p-134, 0),
    ] as [(Float, Float)])
  func brain(x: Float, expected: Float) {
    #expect(x.rounded(to: .bfloat16) == expected)
    #expect((-x).rounded(to: .bfloat16) == -expected)
  }

  @Test func specialNumbers() {
    for type: ElementType in [.float16, .bfloat16] {
      #expect(Float.nan.rounded(to: type).isNaN)
      #expect((-0.0 as Float).rounded(to: type).sign == .minus)
    }
    #expect((0.1 as Float).rounded(to: .float32) == 0.1)
  }

  @Test func integersWrapOrStop() {
    #expect((300 as Int64).narrowed(to: .uint8) == 44)
    #expect((200 as Int64).narrowed(to: .int8) == -56)
    #expect((-1 as Int64).narrowed(to: .uint16) == 65535)
    #expect((1 << 31 as Int64).narrowed(to: .int32) == -(1 << 31))
    #expect((-1 as Int64).narrowed(to: .uint32) == 4_294_967_295)
    #expect((40000 as Int64).narrowed(to: .int16) == -25536)
    #expect((-1 as Int64).narrowed(to: .uint64) == -1)
    #expect((300 as Int64).clamped(to: .uint8) == 255)
    #expect((-300 as Int64).clamped(to: .int8) == -128)
    #expect((7 as Int64).clamped(to: .int64) == 7)
  }
}

@Suite struct ElementTypeTests {
  @Test(arguments: ElementType.allCases)
  func everyTypeIsOneKind(type: ElementType) {
    let kinds = [type.isFloatingPoint, type.isInteger, type == .bool, type == .sign]
    #expect(kinds.count { $0 } == 1)
    #expect((type.integerRange != nil) == type.isInteger)
    if let range = type.integerRange, type != .uint64 {
      #expect(
        range.upperBound.subtractingReportingOverflow(range.lowerBound).partialValue
          == Int64(truncatingIfNeeded: (UInt64.max >> UInt64(64 - type.bitWidth))))
    }
  }
}
