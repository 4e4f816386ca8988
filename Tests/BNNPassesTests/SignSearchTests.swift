import BNNTensor
import Testing

@testable import BNNPasses

/// Output errors and the search for the signs with the least.
struct SignSearchTests {
  /// Statistics of random inputs that depend on each other.
  private struct Problem {
    var rows: [Float] = []
    var targets: [Float] = []
    var weights: [Float]
    let (n, outputs): (Int, Int)

    init(seed: UInt64, areSigns: Bool = false) {
      var numbers = Numbers(seed: seed)
      (n, outputs) = (2 + numbers.generator.nextIndex(30), 1 + numbers.generator.nextIndex(4))
      weights = numbers.uniform(n * outputs)
      let count = 20 + numbers.generator.nextIndex(60)
      let mixing = numbers.uniform(n * n)
      for _ in 0..<count {
        let source = numbers.uniform(n)
        let row = (0..<n).map { i in
          0.5 + (0..<n).reduce(Float(0)) { $0 + source[$1] * mixing[i * n + $1] }
        }
        rows += areSigns ? row.map { $0 < 0 ? -1 : 1 } : row
      }
      for row in 0..<count {
        for output in 0..<outputs {
          targets.append(
            (0..<n).reduce(1) { $0 + rows[row * n + $1] * weights[output * n + $1] })
        }
      }
    }

    func statistics(signTaps: Int? = nil, fitsBias: Bool = false) -> LayerStatistics {
      LayerStatistics(
        rows: rows, targets: targets, weights: weights, n: n, outputs: outputs,
        signTaps: signTaps, fitsBias: fitsBias)
    }

    /// E by its definition.
    func error(_ other: [Float], _ statistics: LayerStatistics, output: Int) -> Double {
      var trace = 0.0
      for row in rows.indices { trace += Double(rows[row]) * Double(rows[row]) }
      let lambda = Double(LayerStatistics.damping) * trace / Double(n)
      var sum = 0.0
      for row in 0..<rows.count / n {
        var difference = Double(targets[row * outputs + output])
        for i in 0..<n { difference -= Double(other[output * n + i] * rows[row * n + i]) }
        sum += difference * difference
      }
      for i in output * n..<(output + 1) * n {
        sum += lambda * Double(weights[i] - other[i]) * Double(weights[i] - other[i])
      }
      return sum
    }
  }

  @Test(arguments: 1...20)
  func errorsAreTheDefinitions(_ seed: Int) {
    let problem = Problem(seed: UInt64(seed))
    let statistics = problem.statistics()
    for method in [BinarizationMethod.xnor, .general, .residual(bases: 2)] {
      let other = BinaryApproximation(
        of: problem.weights, outputs: problem.outputs, method: method
      ).weights
      for (output, terms) in statistics.errorTerms(of: other).enumerated() {
        let expected = problem.error(other, statistics, output: output)
        #expect(abs(terms.error() - expected) <= 1e-4 * (expected + terms.constant))
      }
    }
  }

  /// Counted on bits is the same as multiplied.
  @Test(arguments: 1...20)
  func gramsOfSignsAreCounted(_ seed: Int) {
    var numbers = Numbers(seed: UInt64(seed))
    let (taps, channels) = (1 + numbers.generator.nextIndex(9), 1 + numbers.generator.nextIndex(5))
    let rows = numbers.generator.nextIndex(200)
    let n = taps * channels
    var elements = numbers.signs(rows * n)
    for row in 0..<rows {
      for tap in 0..<taps where numbers.generator.nextIndex(5) == 0 {
        for channel in 0..<channels { elements[row * n + channel * taps + tap] = 0 }
      }
    }
    var expected = [Float](repeating: 0, count: n * n)
    addTransposedProduct(elements, columns: n, elements, columns: n, rows: rows, to: &expected)
    #expect(signGram(elements, rows: rows, n: n, taps: taps) == expected)
    var upper = [Float](repeating: 0, count: n * n)
    addTransposedProduct(
      elements, columns: n, elements, columns: n, rows: rows, isSymmetric: true, to: &upper)
    mirrorUpperTriangle(&upper, n: n)
    #expect(upper == expected)
  }

  /// Larger than a tile, with numbers of rows and columns that leave a rest.
  @Test func productsOfLargerMatrices() {
    var numbers = Numbers(seed: 3)
    let (rows, n, m) = (7, 37, 517)
    let (a, b) = (numbers.integers(rows * n, -8...8), numbers.integers(rows * m, -8...8))
    var sums = [Float](repeating: 1, count: n * m)
    addTransposedProduct(a, columns: n, b, columns: m, rows: rows, to: &sums)
    for i in 0..<n {
      for j in 0..<m {
        #expect(sums[i * m + j] == (0..<rows).reduce(1) { $0 + a[$1 * n + i] * b[$1 * m + j] })
      }
    }
  }

  private func errors(
    _ problem: Problem, _ statistics: LayerStatistics, _ search: (inout SignSearch) -> Void
  ) -> [(weights: [Float], error: Double)] {
    let n = problem.n
    let signs: [Float] = problem.weights.map { $0 < 0 ? -1 : 1 }
    let fields = statistics.fields(of: signs)
    return (0..<problem.outputs).map { output in
      let range = output * n..<(output + 1) * n
      var all = [Float](repeating: 0, count: problem.weights.count)
      statistics.gram.withUnsafeBufferPointer { gram in
        statistics.cross.withUnsafeBufferPointer { cross in
          guard let gram = gram.baseAddress, let cross = cross.baseAddress else { return }
          var state = SignSearch(
            gram: gram, linear: cross + range.lowerBound, signs: Array(signs[range]),
            field: Array(fields[range]))
          search(&state)
          all.replaceSubrange(range, with: state.signs.map { $0 * Float(state.scale) })
        }
      }
      return (Array(all[range]), statistics.errorTerms(of: all)[output].error())
    }
  }

  /// No search ends above where it began, annealing not above descent.
  @Test(arguments: 1...60)
  func searchesNeverEndAboveTheirStart(_ seed: Int) {
    let problem = Problem(seed: UInt64(seed), areSigns: seed % 3 == 0)
    let statistics = problem.statistics(
      signTaps: seed % 3 == 0 ? problem.n : nil, fitsBias: seed % 2 == 0)
    let start = errors(problem, statistics) { _ in }
    let descended = errors(problem, statistics) { $0.descend() }
    let alternated = errors(problem, statistics) { $0.alternate() }
    let annealed = errors(problem, statistics) {
      $0.descend()
      $0.anneal(seed: 7)
    }
    let plain = statistics.errorTerms(
      of: BinaryApproximation(
        of: problem.weights, outputs: problem.outputs, method: .xnor
      ).weights)
    for output in 0..<problem.outputs {
      let slack = 1e-5 * plain[output].constant
      #expect(start[output].error <= plain[output].error() + slack)
      #expect(descended[output].error <= start[output].error + slack)
      #expect(alternated[output].error <= start[output].error + slack)
      #expect(annealed[output].error <= descended[output].error + slack)
    }
  }

  /// Small enough to try all signs: annealing finds the best ones nearly always.
  @Test func annealingIsOftenOptimal() {
    var (found, all) = (0, 0)
    for seed in UInt64(1)...40 {
      let problem = Problem(seed: seed)
      guard problem.n <= 12 else { continue }
      let statistics = problem.statistics()
      let annealed = errors(problem, statistics) {
        $0.descend()
        $0.anneal(seed: 1)
      }
      for output in 0..<problem.outputs {
        var least = Double.infinity
        for code in 0..<1 << problem.n {
          var signs = [Float](repeating: 0, count: problem.weights.count)
          for i in 0..<problem.n { signs[output * problem.n + i] = code >> i & 1 == 1 ? 1 : -1 }
          let terms = statistics.errorTerms(of: signs)[output]
          least = min(least, terms.error(factor: terms.bestFactor))
        }
        let constant = statistics.constants[output]
        #expect(annealed[output].error >= least - 1e-4 * constant)
        all += 1
        found += annealed[output].error <= least + 1e-4 * constant ? 1 : 0
      }
    }
    #expect(all > 10 && found * 10 >= all * 9)
  }

  @Test func searchesAreRepeatable() {
    let problem = Problem(seed: 9)
    let statistics = problem.statistics()
    let results = (0..<2).map { _ in
      errors(problem, statistics) { $0.anneal(seed: 3) }.flatMap(\.weights)
    }
    #expect(results[0] == results[1])
  }

  /// Independent inputs of one size: the signs of the weights are the best.
  @Test func withoutCorrelationsSignsAreOptimal() {
    var numbers = Numbers(seed: 12)
    let n = 6
    let weights = numbers.uniform(n)
    let rows = (0..<n * n).map { Float($0 % (n + 1) == 0 ? 1 : 0) }
    let statistics = LayerStatistics(
      rows: rows, targets: weights, weights: weights, n: n, outputs: 1, signTaps: nil,
      fitsBias: false)
    var best: [Float] = []
    statistics.gram.withUnsafeBufferPointer { gram in
      statistics.cross.withUnsafeBufferPointer { cross in
        guard let gram = gram.baseAddress, let cross = cross.baseAddress else { return }
        let signs = (0..<n).map { _ in Float(1) }
        var search = SignSearch(
          gram: gram, linear: cross, signs: signs, field: statistics.fields(of: signs))
        search.descend()
        search.anneal(seed: 1)
        best = search.signs.map { $0 * Float(search.scale) }
      }
    }
    let expected = BinaryApproximation(of: weights, outputs: 1, method: .xnor).weights
    for (a, b) in zip(best, expected) { #expect(abs(a - b) < 1e-5) }
  }

  @Test func exponentialNumbersHaveTheirMeanAndMedian() {
    var random = SplitMix64(state: 1)
    let numbers = (0..<20_000).map { _ in random.exponential() }
    #expect(abs(numbers.reduce(0, +) / 20_000 - 1) < 0.03)
    #expect(abs(Double(numbers.count { $0 > 0.693_147 }) / 20_000 - 0.5) < 0.015)
    #expect(abs(Double(numbers.count { $0 > 2.302_585 }) / 20_000 - 0.1) < 0.01)
  }
}
