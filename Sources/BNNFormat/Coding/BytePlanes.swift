/// Numbers as one stream for each of their bytes: bytes of one significance are alike.
enum BytePlanes {
  /// The planes of words, least significant bytes first.
  static func split<Word: FixedWidthInteger & UnsignedInteger>(_ words: [Word]) -> [[UInt8]] {
    (0..<(Word.bitWidth / 8)).map { plane in
      let shift = Word(truncatingIfNeeded: 8 * plane)
      return words.map { UInt8(truncatingIfNeeded: $0 &>> shift) }
    }
  }

  static func joined<Word: FixedWidthInteger & UnsignedInteger>(
    _ planes: ArraySlice<[UInt8]>, as type: Word.Type = Word.self
  ) -> [Word] {
    let count = planes.first?.count ?? 0
    return [Word](unsafeUninitializedCapacity: count) { words, filled in
      words.initialize(repeating: 0)
      for (index, plane) in planes.enumerated() {
        let shift = Word(truncatingIfNeeded: 8 * index)
        plane.withUnsafeBufferPointer { plane in
          for position in 0..<count {
            words[position] |= Word(truncatingIfNeeded: plane[position]) &<< shift
          }
        }
      }
      filled = count
    }
  }

  /// A bit set of the planes that are entropy-coded, then the planes: as they are, or the table of
  /// their symbols and the stream. Nil where that takes `limit` bytes or more.
  static func encoded(_ planes: [[UInt8]], below limit: Int) -> [UInt8]? {
    var set: UInt8 = 0
    var tables: [SymbolTable?] = []
    var estimate = 1
    for (index, plane) in planes.enumerated() {
      let choice = SymbolTable.best(for: histogram(plane), below: plane.count)
      if choice != nil { set |= 1 << UInt8(index) }
      tables.append(choice?.table)
      estimate += choice?.bytes ?? plane.count
    }
    // A few bytes may be wrong.
    guard estimate < limit + 64 else { return nil }
    var bytes = [set]
    for (plane, table) in zip(planes, tables) {
      if let table {
        bytes += table.encoded + EntropyCoder.encoded(plane, table)
      } else {
        bytes += plane
      }
    }
    return bytes.count < limit ? bytes : nil
  }

  /// Reads planes of so many bytes each.
  static func decode(
    _ counts: [Int], from bytes: inout CodedBytes
  ) throws(FormatError.CodingProblem) -> [[UInt8]] {
    let set = try bytes.byte()
    guard Int(set) >> counts.count == 0 else { throw .planes(set) }
    var planes: [[UInt8]] = []
    for (index, count) in counts.enumerated() {
      if set >> UInt8(index) & 1 == 0 {
        planes.append(Array(try bytes.take(count)))
      } else {
        let table = try bytes.bits { (reader) throws(FormatError.CodingProblem) in
          try SymbolTable(&reader, alphabet: 256, count: count)
        }
        planes.append(try EntropyCoder.symbols(count, table, from: &bytes))
      }
    }
    return planes
  }

  static func histogram(_ bytes: some Collection<UInt8>) -> [Int] {
    var counts = [Int](repeating: 0, count: 256)
    for byte in bytes { counts[Int(byte)] += 1 }
    return counts
  }
}
