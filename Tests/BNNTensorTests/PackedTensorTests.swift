import BNNTensor
import BNNTestSupport
import Testing

@Suite struct PackedTensorTests {
  @Test(arguments: boundarySizes)
  func packsAndUnpacks(size: Int) throws {
    var generator = SeededGenerator(seed: UInt64(size))
    let bits = (0..<size).map { _ in Bool.random(using: &generator) }
    let packed = PackedTensor(shape: [size]) { bits[$0] }
    #expect(packed.count == size)
    #expect(packed.bytes.count == (size + 7) / 8)
    #expect((0..<size).map { packed[$0] } == bits)
    #expect(packed.signs == bits.map { $0 ? 1 : -1 })
    #expect(PackedTensor(shape: [size], bytes: packed.bytes) == packed)
  }

  @Test func theFirstElementIsTheLowestBit() {
    let packed = PackedTensor(shape: [10]) { [0, 3, 9].contains($0) }
    #expect(packed.bytes == [0b0000_1001, 0b0000_0010])
  }

  @Test func wrongBytesAreRefused() {
    #expect(PackedTensor(shape: [9], bytes: [0]) == nil)
    #expect(PackedTensor(shape: [9], bytes: [0, 0, 0]) == nil)
    #expect(PackedTensor(shape: [9], bytes: [0, 2]) == nil)
    #expect(PackedTensor(shape: [9], bytes: [0, 1]) != nil)
    #expect(PackedTensor(shape: [-1], bytes: []) == nil)
    #expect(PackedTensor(shape: [.max, .max], bytes: []) == nil)
  }

  @Test(arguments: [1, 8, 9, 64, 65])
  func settingOneBitLeavesTheOthers(size: Int) {
    for index in [0, size / 2, size - 1] {
      var packed = PackedTensor(shape: [size]) { _ in false }
      packed[index] = true
      #expect((0..<size).filter { packed[$0] } == [index])
      packed[index] = false
      #expect(packed == PackedTensor(shape: [size]) { _ in false })
    }
  }
}

@Suite struct SeededGeneratorTests {
  /// The published numbers of SplitMix64 for seed 1234567.
  @Test func knownNumbers() {
    var generator = SeededGenerator(seed: 1_234_567)
    let numbers = (0..<3).map { _ in generator.next() }
    #expect(
      numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
  }
}
