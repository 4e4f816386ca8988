import BNNTestSupport
import Foundation
import Testing

@testable import BNNFormat

/// The bit codes, the tables of symbols, and the entropy code itself.
@Suite struct EntropyCoderTests {
  @Test func logarithmsAreRoundedDown() {
    for number in [1, 2, 3, 5, 64, 511, 512, 513, 16384, 1_000_003, 1 << 40, (1 << 45) + 12345] {
      let exact = log2(Double(number)) * 65536
      let fixed = Double(FixedLogarithm.log2(number))
      #expect(fixed <= exact && fixed > exact - 1.01, "\(number)")
    }
    #expect(FixedLogarithm.information([8, 0, 8, 16]) == 48 * 65536)
    #expect(FixedLogarithm.information([]) == 0)
    #expect(FixedLogarithm.information([7]) == 0)
  }

  @Test func bitCodesSurvive() throws {
    var generator = SeededGenerator(seed: 1)
    var numbers: [(value: Int, parameter: Int)] = [(0, 0), (0, 31), (4_294_967_294, 0)]
    for _ in 0..<2000 {
      numbers.append(
        (Int(generator.next() >> UInt64(generator.nextIndex(32) + 32)), generator.nextIndex(16)))
    }
    var writer = BitWriter()
    var bits = 0
    for (value, parameter) in numbers {
      writer.exponentialGolomb(value, parameter: parameter)
      bits += BitWriter.exponentialGolombBits(value, parameter: parameter)
      writer.bits(value, count: parameter)
      writer.rice(value % 1000, parameter: parameter % 4)
      bits += parameter + (value % 1000) >> (parameter % 4) + 1 + parameter % 4
    }
    let bytes = writer.finished()
    #expect(bytes.count == (bits + 7) / 8)
    try bytes.withUnsafeBufferPointer { (pointer) throws in
      var reader = BitReader(pointer, at: 0)
      for (value, parameter) in numbers {
        #expect(try reader.exponentialGolomb(parameter: parameter) == value)
        #expect(try reader.bits(parameter) == value & (1 << parameter - 1))
        #expect(try reader.rice(parameter: parameter % 4, atMost: 1000) == value % 1000)
      }
      #expect(try reader.finish() == bytes.count)
    }
  }

  /// Codes and decodes symbols, and says how many bytes the table and the stream have.
  private func roundTrip(
    _ symbols: [UInt16], alphabet: Int
  ) throws -> (table: Int, stream: Int)? {
    var counts = [Int](repeating: 0, count: alphabet)
    for symbol in symbols { counts[Int(symbol)] += 1 }
    guard let (table, estimate) = SymbolTable.best(for: counts, below: .max) else { return nil }
    #expect(table.entries.reduce(0) { $0 + $1.frequency } == 1 << table.precision)
    let (head, stream) = (table.encoded, EntropyCoder.encoded(symbols, table))
    #expect(abs(head.count + stream.count - estimate) <= 20)
    let bytes = head + stream + [99]
    try bytes.withUnsafeBufferPointer { (pointer) throws in
      var coded = CodedBytes(pointer)
      let read = try coded.bits { (reader) throws(FormatError.CodingProblem) in
        try SymbolTable(&reader, alphabet: alphabet, count: symbols.count)
      }
      #expect(read == table)
      #expect(try EntropyCoder.symbols(symbols.count, read, from: &coded) == symbols)
      #expect(try coded.byte() == 99)
      try coded.finish()
    }
    return (head.count, stream.count)
  }

  @Test func streamsOfAllLengthsSurvive() throws {
    var generator = SeededGenerator(seed: 2)
    for alphabet in [1, 2, 3, 16, 256, 512, 65536] {
      for count in boundarySizes.dropFirst() + [1022, 1023, 1024, 1025, 1026, 1027, 4000] {
        // Skewed, uniform, and all the same.
        let bits = generator.nextIndex(3)
        let symbols = (0..<count).map { _ in
          let first = generator.nextIndex(alphabet)
          return UInt16(
            bits == 0 ? alphabet - 1 : bits == 1 ? first : generator.nextIndex(first + 1))
        }
        #expect(try roundTrip(symbols, alphabet: alphabet) != nil)
      }
    }
  }

  @Test func streamsTakeWhatTheirSymbolsCarry() throws {
    var generator = SeededGenerator(seed: 3)
    for kernels in [2, 5, 32, 100, 512] {
      let symbols = (0..<40_000).map { _ in
        UInt16(min(generator.nextIndex(kernels), generator.nextIndex(kernels)))
      }
      var counts = [Int](repeating: 0, count: 512)
      for symbol in symbols { counts[Int(symbol)] += 1 }
      let least = Double(FixedLogarithm.information(counts)) / 65536 / 8
      let sizes = try #require(try roundTrip(symbols, alphabet: 512))
      #expect(Double(sizes.stream) < least * 1.002 + 16)
      #expect(sizes.table <= 12 + kernels * 5 / 4)
    }
  }

  /// A codebook and indices of log₂ K bits, without a code for it: equal frequencies.
  @Test func uniformSymbolsTakeTheirLogarithm() throws {
    for (kernels, bits) in [(1, 0.0), (2, 1.0), (16, 4.0), (32, 5.0), (48, 5.6), (128, 7.0)] {
      let symbols = (0..<16384).map { UInt16($0 % kernels * 3) }
      let sizes = try #require(try roundTrip(symbols, alphabet: 512))
      #expect(Double(sizes.stream) <= 16384 * bits / 8 + 16)
      #expect(sizes.table <= 3 + kernels * 3 / 8)
    }
  }

  @Test func moreSymbolsThanSlotsHaveNoTable() throws {
    let symbols = (0..<5000).map { UInt16($0) }
    #expect(try roundTrip(symbols, alphabet: 65536) == nil)
    #expect(SymbolTable.best(for: [], below: .max) == nil)
    #expect(SymbolTable.best(for: [0, 0], below: .max) == nil)
    let full = (0..<4096).map { UInt16($0) }
    #expect(try roundTrip(full, alphabet: 65536) != nil)
  }
}
