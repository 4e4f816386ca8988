import BNNTensor

/// Thresholds of accumulators as tests of mismatches, one for each vector of each line.
///
/// An accumulator is base − 2 · mismatches, so that
///
///     lower ≤ accumulator ≤ upper   is   (base − upper) / 2 ≤ mismatches ≤ (base − lower) / 2
///
/// rounded up and down. The bases differ at borders; vectors with the same bases share a test.
struct SlicedTests {
  let tests: BitSlicePlan.Tests
  private let packed: ParameterList<UInt64>
  private let index: ParameterList<UInt32>

  /// - Parameter isOneLine: all positions are one line, with the same bases.
  init(
    _ thresholds: Thresholds<Int32>, _ plan: BitSlicePlan, _ source: BinaryProductSource,
    isOneLine: Bool, _ context: LayerContext
  ) throws(RuntimeError) {
    let outputs = source.outputs
    for count in [thresholds.lower, thresholds.upper].map(\.count) + [thresholds.insideIsPlus.count]
    where count != outputs && count != 1 {
      throw context.fault(.parameterCount(expected: outputs, found: count))
    }
    let window = source.plan
    let width = isOneLine ? max(1, window.positions) : window.output[2]
    let lines = isOneLine ? 1 : window.output[0] * window.output[1]
    var known = KnownTests(plan, source.bases, width: width)
    index = ParameterList(
      memory: try context.budget.allocate(StepWork.product(lines, plan.lineVectors, 4)))
    for line in 0..<lines {
      known.find(line: isOneLine ? nil : line, into: index.pointer + line * plan.lineVectors)
    }
    packed = ParameterList(
      memory: try context.budget.allocate(
        StepWork.product(known.samples.count, plan.testWords, 8)))
    let channels = Channels(thresholds, outputs: outputs, mismatches: plan.inputs)
    var hasLower = false
    for (test, sample) in known.samples.enumerated() {
      var bounds = BitSlicePlan.Bounds(plan)
      for (word, place) in sample.enumerated() {
        guard let bases = place.bases else { continue }
        channels.fill(&bounds, word: word, first: place.word * 64, bases: bases)
      }
      let hasTwo = plan.packTest(bounds, into: packed.pointer + test * plan.testWords)
      hasLower = hasLower || hasTwo
    }
    tests = BitSlicePlan.Tests(
      packed: packed.pointer, index: index.pointer, hasLower: hasLower)
  }

  /// Thresholds per channel.
  private struct Channels {
    let thresholds: Thresholds<Int32>
    let outputs: Int
    let mismatches: Int

    init(_ thresholds: Thresholds<Int32>, outputs: Int, mismatches: Int) {
      (self.thresholds, self.outputs, self.mismatches) = (thresholds, outputs, mismatches)
    }

    func fill(
      _ bounds: inout BitSlicePlan.Bounds, word: Int, first: Int, bases: UnsafePointer<Int32>
    ) {
      for output in first..<min(first + 64, outputs) {
        func own<T>(_ list: [T]) -> T { list.count == 1 ? list[0] : list[output] }
        let base = Int(bases[output])
        let fewest = max(0, (base - Int(own(thresholds.upper)) + 1) >> 1)
        let most = min(mismatches, (base - Int(own(thresholds.lower))) >> 1)
        let lane = word * 64 + output - first
        bounds.fewest[lane] = fewest > most ? 1 : UInt32(fewest)
        bounds.most[lane] = fewest > most ? 0 : UInt32(most)
        if own(thresholds.insideIsPlus) {
          bounds.outsideIsPlus[word] &= ~(1 << UInt64(output - first))
        }
      }
    }
  }
}

/// The different tests of a convolution.
private struct KnownTests {
  /// What a word of a vector stands for: outputs from 64 · `word` on, at a position with these
  /// bases; none beyond the end of a line.
  struct Place: Hashable {
    var word: Int
    var bases: UnsafePointer<Int32>?
  }

  /// The words of each test.
  private(set) var samples: [[Place]] = []
  private var tests: [[Place]: UInt32] = [:]
  private var lines: [[UnsafePointer<Int32>]: UnsafePointer<UInt32>] = [:]
  private let plan: BitSlicePlan
  private let bases: AccumulatorBases
  private let width: Int

  init(_ plan: BitSlicePlan, _ bases: AccumulatorBases, width: Int) {
    (self.plan, self.bases, self.width) = (plan, bases, width)
  }

  /// The tests of the vectors of a line of an image, or of positions that all have the same bases.
  mutating func find(line: Int?, into index: UnsafeMutablePointer<UInt32>) {
    let rows = (0..<width).map { x in
      bases.row(position: line.map { $0 * width + x } ?? 0)
    }
    if let same = lines[rows] {
      index.update(from: same, count: plan.lineVectors)
      return
    }
    lines[rows] = UnsafePointer(index)
    for vector in 0..<plan.lineVectors {
      let places = (0..<plan.vectorWords).map { word in
        let at = vector * plan.vectorWords + word
        let position = at / plan.laneWords
        return position < width
          ? Place(word: at % plan.laneWords, bases: rows[position]) : Place(word: 0, bases: nil)
      }
      let test = tests[places] ?? UInt32(samples.count)
      if Int(test) == samples.count { samples.append(places) }
      tests[places] = test
      index[vector] = test
    }
  }
}
