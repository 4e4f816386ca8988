/// The symbols of a stream, each with its share of 2^precision.
struct SymbolTable: Hashable {
  static let maximumPrecision = 12

  /// The largest precision for a stream of so many symbols. More would serve nothing, and a reader
  /// needs room and time for 2^precision.
  static func maximumPrecision(count: Int) -> Int {
    min(maximumPrecision, Int.bitWidth - 1 - (4 * count + 256).leadingZeroBitCount)
  }

  /// The frequencies add up to 2^precision.
  var precision: Int
  /// The symbols that occur, ascending.
  var entries: [Entry]
  /// Whether the frequencies are as equal as they can be, and not stored.
  var isFlat: Bool

  struct Entry: Hashable {
    var symbol: Int
    var frequency: Int
  }

  /// The codes of the numbers in a stored table.
  fileprivate enum Bits {
    static let precision = 4
    static let gapParameter = 3
    static let frequencyParameter = 4
  }
}

// MARK: Choice

extension SymbolTable {
  /// The table with which symbols that occur so often take the fewest bytes, and how many these are
  /// about. Nil where no table can, or all take `limit` or more.
  static func best(for counts: [Int], below limit: Int) -> (table: SymbolTable, bytes: Int)? {
    let symbols = counts.indices.filter { counts[$0] > 0 }
    guard !symbols.isEmpty, symbols.count <= 1 << maximumPrecision else { return nil }
    // A stored symbol takes a bit at least.
    let least = FixedLogarithm.information(counts) / FixedLogarithm.one + symbols.count
    guard least / 8 < limit else { return nil }
    let width = Int.bitWidth - (symbols.count - 1).leadingZeroBitCount
    let total = counts.reduce(0, +)
    var best: (table: SymbolTable, bytes: Int)?
    // One symbol needs no precision, and gets none.
    for precision in width...(width == 0 ? 0 : maximumPrecision(count: total)) {
      for isFlat in [true, false] {
        let frequencies =
          isFlat
          ? flat(symbols.count, precision: precision)
          : shares(symbols.map { counts[$0] }, total: total, precision: precision)
        let entries = zip(symbols, frequencies).map { Entry(symbol: $0, frequency: $1) }
        let table = SymbolTable(precision: precision, entries: entries, isFlat: isFlat)
        let bytes = table.byteCount(of: counts, total: total)
        if bytes < best?.bytes ?? limit { best = (table, bytes) }
      }
    }
    return best
  }

  /// Frequencies as equal as they can be: the first ones are one larger where they must.
  private static func flat(_ count: Int, precision: Int) -> [Int] {
    let (quotient, remainder) = (1 << precision).quotientAndRemainder(dividingBy: count)
    return (0..<count).map { quotient + ($0 < remainder ? 1 : 0) }
  }

  /// Frequencies in proportion to counts, each at least 1: by largest remainders.
  private static func shares(_ counts: [Int], total: Int, precision: Int) -> [Int] {
    let slots = 1 << precision
    // What each count deserves beyond its first slot, times the total.
    let weights = counts.map { max(0, $0 * slots - total) }
    let weightSum = weights.reduce(0, +)
    let free = slots - counts.count
    guard weightSum > 0 else { return flat(counts.count, precision: precision) }
    var frequencies: [Int] = []
    var remainders: [(index: Int, remainder: Int)] = []
    for (index, weight) in weights.enumerated() {
      let (high, low) = free.multipliedFullWidth(by: weight)
      let (quotient, remainder) = weightSum.dividingFullWidth((high, low))
      frequencies.append(1 + quotient)
      remainders.append((index, remainder))
    }
    remainders.sort { ($1.remainder, $0.index) < ($0.remainder, $1.index) }
    for (index, _) in remainders.prefix(slots - frequencies.reduce(0, +)) {
      frequencies[index] += 1
    }
    return frequencies
  }

  /// The bytes of the table and the stream behind it, but for a few.
  private func byteCount(of counts: [Int], total: Int) -> Int {
    let logarithms = FixedLogarithm.ofFrequencies
    var bits = 0
    for entry in entries {
      bits += counts[entry.symbol] * (precision * FixedLogarithm.one - logarithms[entry.frequency])
    }
    let states = precision == 0 ? 0 : EntropyCoder.lanes(of: total)
    return (storedBits + 7) / 8 + 2 * states + bits / FixedLogarithm.one / 16 * 2
  }
}

// MARK: Coding

extension SymbolTable {
  /// Of each symbol, how many lie between it and the one before.
  private var gaps: [Int] {
    var next = 0
    return entries.map { entry in
      defer { next = entry.symbol + 1 }
      return entry.symbol - next
    }
  }

  private static func parameter(
    for values: [Int], bits: Int
  ) -> (parameter: Int, bits: Int) {
    var best = (parameter: 0, bits: Int.max)
    for parameter in 0..<(1 << bits) {
      let sum = values.reduce(0) {
        $0 + BitWriter.exponentialGolombBits($1, parameter: parameter)
      }
      if sum < best.bits { best = (parameter, sum) }
    }
    return best
  }

  private var storedBits: Int {
    let gaps = SymbolTable.parameter(for: gaps, bits: Bits.gapParameter).bits
    let head = 1 + Bits.precision + Bits.gapParameter
    if isFlat {
      return head + gaps + BitWriter.exponentialGolombBits(entries.count - 1, parameter: 0)
    }
    let frequencies = SymbolTable.parameter(
      for: entries.map { $0.frequency - 1 }, bits: Bits.frequencyParameter)
    return head + gaps + Bits.frequencyParameter + frequencies.bits
  }

  /// The stored table: whole bytes.
  var encoded: [UInt8] {
    var writer = BitWriter()
    let gaps = gaps
    let gapParameter = SymbolTable.parameter(for: gaps, bits: Bits.gapParameter).parameter
    writer.bits(isFlat ? 1 : 0, count: 1)
    writer.bits(precision, count: Bits.precision)
    writer.bits(gapParameter, count: Bits.gapParameter)
    if isFlat {
      writer.exponentialGolomb(entries.count - 1, parameter: 0)
      for gap in gaps { writer.exponentialGolomb(gap, parameter: gapParameter) }
    } else {
      let frequencies = entries.map { $0.frequency - 1 }
      let parameter = SymbolTable.parameter(
        for: frequencies, bits: Bits.frequencyParameter
      ).parameter
      writer.bits(parameter, count: Bits.frequencyParameter)
      for (gap, frequency) in zip(gaps, frequencies) {
        writer.exponentialGolomb(gap, parameter: gapParameter)
        writer.exponentialGolomb(frequency, parameter: parameter)
      }
    }
    return writer.finished()
  }

  /// Reads the table of a stream of `count` symbols below `alphabet`.
  init(
    _ reader: inout BitReader, alphabet: Int, count: Int
  ) throws(FormatError.CodingProblem) {
    isFlat = try reader.bits(1) == 1
    precision = try reader.bits(Bits.precision)
    entries = []
    guard precision <= SymbolTable.maximumPrecision(count: count) else {
      throw .precision(precision)
    }
    let gapParameter = try reader.bits(Bits.gapParameter)
    let slots = 1 << precision
    var next = 0
    func symbol(_ reader: inout BitReader) throws(FormatError.CodingProblem) -> Int {
      let symbol = next + (try reader.exponentialGolomb(parameter: gapParameter))
      guard symbol < alphabet else { throw .symbol(symbol, alphabet: alphabet) }
      next = symbol + 1
      return symbol
    }
    if isFlat {
      let count = 1 + (try reader.exponentialGolomb(parameter: 0))
      guard count <= slots else { throw .symbolCount(count) }
      for frequency in SymbolTable.flat(count, precision: precision) {
        entries.append(Entry(symbol: try symbol(&reader), frequency: frequency))
      }
    } else {
      let parameter = try reader.bits(Bits.frequencyParameter)
      var free = slots
      while free > 0 {
        let symbol = try symbol(&reader)
        let frequency = 1 + (try reader.exponentialGolomb(parameter: parameter))
        guard frequency <= free else { throw .frequencies(total: slots - free + frequency) }
        entries.append(Entry(symbol: symbol, frequency: frequency))
        free -= frequency
      }
    }
    guard precision == 0 || entries.count > 1 else { throw .symbolCount(1) }
  }
}
