/// Codings of packed signs.
enum SignCodings {
  // MARK: Kernels

  static func kernels(
    _ bytes: UnsafeBufferPointer<UInt8>, _ layout: KernelSymbols, below limit: Int
  ) -> [UInt8]? {
    let symbols = layout.symbols(bytes)
    guard let table = SymbolTable.best(for: histogram(symbols, layout), below: limit)?.table
    else { return nil }
    return table.encoded + EntropyCoder.encoded(symbols, table)
  }

  static func histogram(_ symbols: [UInt16], _ layout: KernelSymbols) -> [Int] {
    var counts = [Int](repeating: 0, count: layout.alphabet)
    for symbol in symbols { counts[Int(symbol)] += 1 }
    return counts
  }

  static func kernels(
    _ layout: KernelSymbols, from bytes: inout CodedBytes
  ) throws(FormatError.CodingProblem) -> [UInt8] {
    let table = try bytes.bits { (reader) throws(FormatError.CodingProblem) in
      try SymbolTable(&reader, alphabet: layout.alphabet, count: layout.count)
    }
    return layout.bytes(try EntropyCoder.symbols(layout.count, table, from: &bytes))
  }

  // MARK: Positions of the rarer sign

  /// A byte with the Rice parameter and, in its highest bit, the sign that is listed; the number of
  /// positions; and for each, how many elements lie between it and the one before.
  static func positions(
    _ bytes: UnsafeBufferPointer<UInt8>, count: Int, below limit: Int
  ) -> [UInt8]? {
    let ones = bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    let listsOnes = ones <= count - ones
    let listed = listsOnes ? ones : count - ones
    // A position takes three bits or so where one element in four is listed.
    guard listed <= count / 4 else { return nil }
    let gaps = gaps(bytes, count: count, ones: listsOnes, expected: listed)
    let parameter = riceParameter(gaps)
    let bits = gaps.reduce(0) { $0 + $1 >> parameter + 1 + parameter }
    guard bits / 8 < limit else { return nil }
    var head = ByteWriter()
    head.byte(UInt8(parameter) | (listsOnes ? 0x80 : 0))
    head.integer(listed)
    var writer = BitWriter()
    for gap in gaps { writer.rice(gap, parameter: parameter) }
    return head.bytes + writer.finished()
  }

  private static func gaps(
    _ bytes: UnsafeBufferPointer<UInt8>, count: Int, ones: Bool, expected: Int
  ) -> [Int] {
    var gaps: [Int] = []
    gaps.reserveCapacity(expected)
    var next = 0
    for (index, byte) in bytes.enumerated() {
      var rest = ones ? byte : ~byte
      while rest != 0 {
        let position = 8 * index + rest.trailingZeroBitCount
        rest &= rest - 1
        // The bits after the last element are no elements.
        guard position < count else { break }
        gaps.append(position - next)
        next = position + 1
      }
    }
    return gaps
  }

  private static func riceParameter(_ gaps: [Int]) -> Int {
    var best = (parameter: 0, bits: Int.max)
    for parameter in 0..<32 {
      let bits = gaps.reduce(0) { $0 + $1 >> parameter + parameter }
      if bits < best.bits { best = (parameter, bits) }
    }
    return best.parameter
  }

  static func positions(
    count: Int, from bytes: inout CodedBytes
  ) throws(FormatError.CodingProblem) -> [UInt8] {
    let head = try bytes.byte()
    guard head & 0x60 == 0 else { throw .positionsHead(head) }
    let listsOnes = head & 0x80 != 0
    let listed = try bytes.integer()
    guard listed <= count / 2 else { throw .positionCount(listed, elements: count) }
    var signs = [UInt8](repeating: listsOnes ? 0 : 0xFF, count: (count + 7) / 8)
    if !listsOnes, count % 8 != 0 { signs[signs.count - 1] >>= UInt8(8 - count % 8) }
    try bytes.bits { (reader) throws(FormatError.CodingProblem) in
      var next = 0
      for _ in 0..<listed {
        let gap = try reader.rice(parameter: Int(head & 0x1F), atMost: count - 1 - next)
        guard gap < count - next else { throw .position(next + gap, elements: count) }
        next += gap
        signs[next >> 3] ^= 1 << UInt8(next & 7)
        next += 1
      }
    }
    return signs
  }
}
