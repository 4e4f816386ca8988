import BNNTensor
import Testing

@testable import BNNPasses

/// The methods on matrices of weights, without a graph.
struct BinarizationMethodTests {
  private func error(_ weights: [Float], _ other: [Float]) -> Double {
    zip(weights, other).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
  }

  @Test func namesAreReadBack() {
    for method in BinarizationMethod.all {
      #expect(BinarizationMethod("\(method)") == method)
    }
    for name in ["", "Sign", "residual", "residual:0", "residual:5", "residual:2 ", "xnor="] {
      #expect(BinarizationMethod(name) == nil)
    }
  }

  @Test func choicesAreReadFromTheCommandLine() throws {
    let cases: [(String, String, BinarizationMethod)] = [
      ("conv", "conv", .xnor), ("conv=qubo", "conv", .qubo),
      ("a=b=residual:3", "a=b", .residual(bases: 3)), ("a=b", "a=b", .xnor),
      ("x=sign=", "x=sign=", .xnor),
    ]
    for (argument, pattern, method) in cases {
      let choice = try BinarizationChoice(argument: argument)
      #expect(choice.layers == .matching(pattern) && choice.method == method)
    }
    for argument in ["", "=xnor", "(", "[=sign", "*"] {
      #expect(throws: LayerSelectionError.self) { try BinarizationChoice(argument: argument) }
    }
    let choice = try LayerSelection(pattern: #"^layer\d+\.conv"#)
    #expect(choice.matches("layer12.conv1") && !choice.matches("a.layer12.conv1"))
    #expect(try LayerSelection(pattern: "conv").matches("a/conv1/b"))
    let named = LayerSelection.named("conv.1")
    #expect(named.matches("conv.1") && !named.matches("conv11") && !named.matches("a/conv.1"))
  }

  /// Minimizes what it says it minimizes, zeros counting as positive.
  @Test func signsAndScales() {
    let weights: [Float] = [1, -3, 0, 4, 0, 0]
    let plain = BinaryApproximation(of: weights, outputs: 2, method: .sign)
    #expect(plain.weights == [1, -1, 1, 1, 1, 1])
    let scaled = BinaryApproximation(of: weights, outputs: 3, method: .xnor)
    #expect(scaled.weights == [2, -2, 2, 2, 0, 0])
    var numbers = Numbers(seed: 11)
    let row = numbers.uniform(7)
    let best = error(row, BinaryApproximation(of: row, outputs: 1, method: .xnor).weights)
    for code in 0..<128 {
      for scale in stride(from: Float(0), through: 2, by: 0.125) {
        let other = (0..<7).map { code >> $0 & 1 == 1 ? scale : -scale }
        #expect(best <= error(row, other) + 1e-5)
      }
    }
  }

  /// The least error of all ways to divide the numbers in two.
  @Test(arguments: 1...60)
  func twoMeansAreExact(_ seed: Int) {
    var numbers = Numbers(seed: UInt64(seed))
    let count = 1 + numbers.generator.nextIndex(9)
    // With repeated numbers in every other case.
    let values = seed % 2 == 0 ? numbers.uniform(count) : numbers.integers(count, -2...2)
    var least = Double.infinity
    for code in 0..<1 << count {
      let parts = [0, 1].map { bit in
        values.indices.filter { code >> $0 & 1 == bit }.map { Double(values[$0]) }
      }
      least = min(
        least,
        parts.reduce(0) { sum, part in
          let mean = part.reduce(0, +) / Double(max(1, part.count))
          return sum + part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        })
    }
    let means = TwoMeans(of: values)
    let found = values.map { $0 < means.boundary ? means.low : means.high }
    #expect(abs(error(values, found) - least) < 1e-5)
    let general = BinaryApproximation(of: values, outputs: 1, method: .general)
    #expect(Set(general.weights).count <= 2)
    #expect(abs(error(values, general.weights) - least) < 1e-5)
  }

  @Test func boundariesBelongToTheUpperCluster() {
    #expect(TwoMeans(of: [0, 0, 0, 2]).boundary == 1)
    let next = Float(1).nextUp
    #expect(TwoMeans(of: [1, next]).boundary == next)
    let same = TwoMeans(of: [3, 3])
    #expect(same.low == 3 && same.high == 3)
  }

  @Test(arguments: 1...20)
  func moreBasesAreNotWorse(_ seed: Int) {
    var numbers = Numbers(seed: UInt64(seed))
    let outputs = 1 + numbers.generator.nextIndex(4)
    let each = 1 + numbers.generator.nextIndex(40)
    let weights = numbers.uniform(outputs * each)
    let start = error(
      weights, BinaryApproximation(of: weights, outputs: outputs, method: .xnor).weights)
    var last = start * (1 + 1e-6)
    for bases in BinarizationMethod.baseCounts {
      let approximation = BinaryApproximation(
        of: weights, outputs: outputs, method: .residual(bases: bases))
      #expect(approximation.bases.count == bases)
      let next = error(weights, approximation.weights)
      #expect(next <= last * (1 + 1e-5) + 1e-9)
      last = next
      // Every base is ±α in every row.
      for base in approximation.bases {
        for output in 0..<outputs {
          let row = base[output * each..<(output + 1) * each]
          #expect(Set(row.map(\.magnitude)).count == 1)
        }
      }
    }
    // More than a row of one number has is not needed.
    if each >= 8 { #expect(last < 0.2 * start) }
  }
}
