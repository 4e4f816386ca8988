import BNNTensor

/// How the bounds of thresholds are stored: only one per channel where the other is extreme.
private enum BoundForm: UInt8 {
  case interval = 0
  case lowerOnly = 1
  case upperOnly = 2
  /// One bound per channel, and a bit that is set where it is the lower one.
  case halfLines = 3

  init<Bound>(_ thresholds: Thresholds<Bound>, lowest: Bound, highest: Bound) {
    let noUpper = thresholds.upper.map { $0 == highest }
    let noLower = thresholds.lower.map { $0 == lowest }
    if !noUpper.contains(false) {
      self = .lowerOnly
    } else if !noLower.contains(false) {
      self = .upperOnly
    } else if zip(noLower, noUpper).allSatisfy({ $0 || $1 }) {
      self = .halfLines
    } else {
      self = .interval
    }
  }
}

/// Which side of the bounds is +1: one answer for all channels, or a list of bits.
private enum InsideForm: UInt8 {
  case minus = 0, plus = 1, list = 2

  init(_ insideIsPlus: [Bool]) {
    self = !insideIsPlus.contains(true) ? .minus : !insideIsPlus.contains(false) ? .plus : .list
  }
}

extension RecordWriter {
  mutating func thresholds(_ thresholds: Thresholds<Float>) {
    write(thresholds, lowest: -.infinity, highest: .infinity) { $0.list($1) }
  }

  mutating func thresholds(_ thresholds: Thresholds<Int32>) {
    write(thresholds, lowest: .min, highest: .max) { $0.list($1) }
  }

  private mutating func write<Bound>(
    _ thresholds: Thresholds<Bound>, lowest: Bound, highest: Bound,
    list: (inout RecordWriter, [Bound]) -> Void
  ) {
    let bounds = BoundForm(thresholds, lowest: lowest, highest: highest)
    let inside = InsideForm(thresholds.insideIsPlus)
    bytes.byte(bounds.rawValue | inside.rawValue << 2)
    switch bounds {
    case .interval:
      list(&self, thresholds.lower)
      list(&self, thresholds.upper)
    case .lowerOnly: list(&self, thresholds.lower)
    case .upperOnly: list(&self, thresholds.upper)
    case .halfLines:
      let isLower = thresholds.upper.map { $0 == highest }
      list(
        &self,
        isLower.indices.map { isLower[$0] ? thresholds.lower[$0] : thresholds.upper[$0] })
      self.list(isLower)
    }
    if inside == .list { self.list(thresholds.insideIsPlus) }
  }
}

extension RecordReader {
  mutating func floatThresholds() throws(FormatError) -> Thresholds<Float> {
    try read(lowest: -.infinity, highest: .infinity) {
      (reader: inout RecordReader) throws(FormatError) in try reader.floats()
    }
  }

  mutating func integerThresholds() throws(FormatError) -> Thresholds<Int32> {
    try read(lowest: .min, highest: .max) {
      (reader: inout RecordReader) throws(FormatError) in try reader.integers()
    }
  }

  private mutating func read<Bound>(
    lowest: Bound, highest: Bound, list: (inout RecordReader) throws(FormatError) -> [Bound]
  ) throws(FormatError) -> Thresholds<Bound> {
    let start = bytes.offset
    let firstTensor = store.used
    defer { store.markThresholds(from: firstTensor) }
    let (bounds, inside) = try bytes.code(.thresholdForm) { byte -> (BoundForm, InsideForm)? in
      guard let bounds = BoundForm(rawValue: byte & 3), let inside = InsideForm(rawValue: byte >> 2)
      else { return nil }
      return (bounds, inside)
    }
    var lower: [Bound]
    var upper: [Bound]
    var isLower: [Bool] = []
    switch bounds {
    case .interval:
      lower = try list(&self)
      upper = try list(&self)
    case .lowerOnly:
      lower = try list(&self)
      upper = lower.map { _ in highest }
    case .upperOnly:
      upper = try list(&self)
      lower = upper.map { _ in lowest }
    case .halfLines:
      let bound = try list(&self)
      isLower = try bits()
      lower = zip(bound, isLower).map { $1 ? $0 : lowest }
      upper = zip(bound, isLower).map { $1 ? highest : $0 }
    }
    let insideIsPlus = try inside == .list ? bits() : lower.map { _ in inside == .plus }
    guard upper.count == lower.count, insideIsPlus.count == lower.count,
      bounds != .halfLines || isLower.count == lower.count
    else {
      throw bytes.failure(.parameterCount(channels: lower.count, found: upper.count), at: start)
    }
    return Thresholds(lower: lower, upper: upper, insideIsPlus: insideIsPlus)
  }
}
