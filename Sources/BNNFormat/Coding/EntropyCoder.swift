/// Asymmetric numeral systems with static frequencies (rANS; Duda, arXiv 1311.2540): a symbol of
/// frequency f of 2^precision takes log₂(2^precision / f) bits.
///
/// States are from 2¹⁶ to 2³² − 1 and give and take 16 bits at once. Long streams have four states
/// that take turns, so that a CPU can work on several symbols at once.
enum EntropyCoder {
  /// The smallest state, with which encoding starts and decoding ends.
  fileprivate static let lowest: UInt32 = 1 << 16

  /// The number of states for so many symbols.
  static func lanes(of count: Int) -> Int { count < 1024 ? 1 : 4 }

  /// The states and words of a stream.
  static func encoded<Symbol: FixedWidthInteger & UnsignedInteger>(
    _ symbols: [Symbol], _ table: SymbolTable
  ) -> [UInt8] {
    guard table.precision > 0 else { return [] }
    // Of each symbol: where its slots start, and how many they are.
    var slots = [(start: UInt32, frequency: UInt32)](
      repeating: (0, 0), count: 1 + (table.entries.last?.symbol ?? 0))
    var start: UInt32 = 0
    for entry in table.entries {
      slots[entry.symbol] = (start, UInt32(entry.frequency))
      start += UInt32(entry.frequency)
    }
    let precision = UInt32(table.precision)
    let laneCount = lanes(of: symbols.count)
    var states = [UInt32](repeating: lowest, count: laneCount)
    // From the last symbol to the first: decoding undoes encoding.
    var words: [UInt16] = []
    for index in symbols.indices.reversed() {
      let (start, frequency) = slots[Int(symbols[index])]
      var state = states[index % laneCount]
      if UInt64(state) >= UInt64(frequency) << UInt64(32 - precision) {
        words.append(UInt16(truncatingIfNeeded: state))
        state >>= 16
      }
      let (quotient, remainder) = state.quotientAndRemainder(dividingBy: frequency)
      states[index % laneCount] = quotient << precision + start + remainder
    }
    var writer = ByteWriter()
    writer.reserve(4 * laneCount + 2 * words.count)
    for state in states { writer.fixed(state) }
    for word in words.reversed() { writer.fixed(word) }
    return writer.bytes
  }

  /// So many symbols from the front of coded bytes.
  static func symbols<Symbol: FixedWidthInteger & UnsignedInteger>(
    _ count: Int, _ table: SymbolTable, from bytes: inout CodedBytes
  ) throws(FormatError.CodingProblem) -> [Symbol] {
    var symbols = [Symbol](repeating: 0, count: count)
    try bytes.rest { (rest) throws(FormatError.CodingProblem) in
      try symbols.withUnsafeMutableBufferPointer { (symbols) throws(FormatError.CodingProblem) in
        try decode(rest, table, into: symbols)
      }
    }
    return symbols
  }

  /// Fills a buffer with the symbols of a stream, and says how many bytes it has.
  private static func decode<Symbol: FixedWidthInteger & UnsignedInteger>(
    _ bytes: UnsafeBufferPointer<UInt8>, _ table: SymbolTable,
    into symbols: UnsafeMutableBufferPointer<Symbol>
  ) throws(FormatError.CodingProblem) -> Int {
    guard table.precision > 0 else {
      symbols.update(repeating: Symbol(table.entries[0].symbol))
      return 0
    }
    let slots = SlotTable(table)
    let laneCount = lanes(of: symbols.count)
    guard bytes.count >= 4 * laneCount else { throw .tooShort }
    var stream = WordStream(UnsafeRawBufferPointer(bytes), position: 4 * laneCount)
    var states: [UInt32] = []
    for lane in 0..<laneCount {
      let state = stream.state(lane)
      guard state >= lowest else { throw .startState }
      states.append(state)
    }
    try slots.withUnsafePointers { (pointers) throws(FormatError.CodingProblem) in
      let whole = laneCount == 4 ? pointers.decodeFour(&states, &stream, into: symbols) : 0
      for index in whole..<symbols.count {
        let lane = index % laneCount
        symbols[index] = Symbol(truncatingIfNeeded: pointers.next(&states[lane]))
        guard states[lane] < lowest else { continue }
        guard let word = stream.next() else { throw .tooShort }
        states[lane] = states[lane] << 16 | word
      }
    }
    guard states.allSatisfy({ $0 == lowest }) else { throw .finalState }
    return stream.position
  }
}

/// The 16-bit words behind the states.
private struct WordStream {
  let bytes: UnsafeRawBufferPointer
  var position: Int

  init(_ bytes: UnsafeRawBufferPointer, position: Int) {
    self.bytes = bytes
    self.position = position
  }

  func state(_ lane: Int) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * lane, as: UInt32.self))
  }

  mutating func next() -> UInt32? {
    guard bytes.count - position >= 2 else { return nil }
    position += 2
    return UInt32(
      UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: position - 2, as: UInt16.self)))
  }
}

/// For each slot the symbol that it belongs to, and the step that it is.
private struct SlotTable {
  private let precision: UInt32
  /// The frequency less one in the lower half, the place among the symbol's slots above.
  private var steps: [UInt32] = []
  private var symbols: [UInt16] = []

  init(_ table: SymbolTable) {
    precision = UInt32(table.precision)
    steps.reserveCapacity(1 << table.precision)
    symbols.reserveCapacity(1 << table.precision)
    for entry in table.entries {
      let frequency = UInt32(entry.frequency)
      for place in 0..<frequency { steps.append(place << 16 | (frequency - 1)) }
      symbols.append(contentsOf: repeatElement(UInt16(entry.symbol), count: entry.frequency))
    }
  }

  func withUnsafePointers(
    _ body: (Pointers) throws(FormatError.CodingProblem) -> Void
  ) throws(FormatError.CodingProblem) {
    try steps.withUnsafeBufferPointer { (steps) throws(FormatError.CodingProblem) in
      try symbols.withUnsafeBufferPointer { (symbols) throws(FormatError.CodingProblem) in
        guard let steps = steps.baseAddress, let symbols = symbols.baseAddress else { return }
        try body(Pointers(precision: precision, steps: steps, symbols: symbols))
      }
    }
  }

  struct Pointers {
    let precision: UInt32
    let steps: UnsafePointer<UInt32>
    let symbols: UnsafePointer<UInt16>

    /// The symbol of a state, which becomes smaller by it and may need a word then.
    @inline(__always)
    func next(_ state: inout UInt32) -> UInt16 {
      let slot = Int(state & (1 &<< precision &- 1))
      let step = steps[slot]
      state = (step & 0xFFFF &+ 1) &* (state &>> precision) &+ step &>> 16
      return symbols[slot]
    }

    /// Decodes rounds of four symbols as long as words for another round are there; the number of
    /// symbols.
    func decodeFour<Symbol: FixedWidthInteger>(
      _ states: inout [UInt32], _ stream: inout WordStream,
      into symbols: UnsafeMutableBufferPointer<Symbol>
    ) -> Int {
      guard let base = stream.bytes.baseAddress else { return 0 }
      var (a, b, c, d) = (states[0], states[1], states[2], states[3])
      var (position, index) = (stream.position, 0)
      let lastPosition = stream.bytes.count - 8
      // Without a branch: whether a state needs a word cannot be predicted.
      @inline(__always) func renewed(_ state: UInt32) -> UInt32 {
        let word = UInt16(
          littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt16.self))
        let isLow = state < EntropyCoder.lowest
        position &+= isLow ? 2 : 0
        return isLow ? state &<< 16 | UInt32(word) : state
      }
      while index &+ 4 <= symbols.count, position <= lastPosition {
        symbols[index] = Symbol(truncatingIfNeeded: next(&a))
        symbols[index &+ 1] = Symbol(truncatingIfNeeded: next(&b))
        symbols[index &+ 2] = Symbol(truncatingIfNeeded: next(&c))
        symbols[index &+ 3] = Symbol(truncatingIfNeeded: next(&d))
        a = renewed(a)
        b = renewed(b)
        c = renewed(c)
        d = renewed(d)
        index &+= 4
      }
      states = [a, b, c, d]
      stream.position = position
      return index
    }
  }
}
