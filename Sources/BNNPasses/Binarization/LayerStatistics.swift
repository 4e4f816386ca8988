/// All that a least-squares fit needs to know about what one group of a layer reads and should give.
///
/// With the rows x of its inputs, centred where the layer gets a bias, the wanted outputs t and the
/// group's own weights v, the output error of weights w is
///
///     E(w) = Σ (t − w·x)² + λ‖v − w‖² = wᵀHw − 2 w·g + c,
///     H = XᵀX + λI,  g = Xᵀt + λv,  c = Σt² + λ‖v‖².
struct LayerStatistics {
  let n: Int
  let outputs: Int
  /// H, [n, n].
  private(set) var gram: [Float]
  /// g, [outputs, n].
  private(set) var cross: [Float]
  /// c, one number per output.
  private(set) var constants: [Double]
  /// The mean of each input; of zeros where no bias is fitted.
  private(set) var inputMeans: [Float]
  /// The mean of each wanted output; likewise.
  private(set) var targetMeans: [Double]

  /// λ as a part of the mean of H's diagonal.
  static let damping: Float = 0.01

  /// - Parameters:
  ///   - rows: what the group reads, [rows, n].
  ///   - targets: what it should give, [rows, outputs].
  ///   - weights: v, [outputs, n].
  ///   - signTaps: the taps of the window if the rows are ±1 or, outside the input, 0; nil for real
  ///     numbers.
  ///   - fitsBias: whether a number per output is added to the result.
  init(
    rows: [Float], targets: [Float], weights: [Float], n: Int, outputs: Int, signTaps: Int?,
    fitsBias: Bool
  ) {
    (self.n, self.outputs) = (n, outputs)
    let count = rows.count / n
    if let signTaps {
      gram = signGram(rows, rows: count, n: n, taps: signTaps)
    } else {
      gram = [Float](repeating: 0, count: n * n)
      addTransposedProduct(
        rows, columns: n, rows, columns: n, rows: count, isSymmetric: true, to: &gram)
      mirrorUpperTriangle(&gram, n: n)
    }
    cross = [Float](repeating: 0, count: outputs * n)
    addTransposedProduct(targets, columns: outputs, rows, columns: n, rows: count, to: &cross)
    constants = [Double](repeating: 0, count: outputs)
    for (index, target) in targets.enumerated() {
      constants[index % outputs] += Double(target) * Double(target)
    }
    inputMeans = [Float](repeating: 0, count: n)
    targetMeans = [Double](repeating: 0, count: outputs)
    if fitsBias { center(rows, targets, count: count) }
    regularize(toward: weights)
  }

  var isFinite: Bool {
    gram.allSatisfy(\.isFinite) && cross.allSatisfy(\.isFinite) && constants.allSatisfy(\.isFinite)
  }

  /// Subtracts the means from all rows and targets, after the fact.
  private mutating func center(_ rows: [Float], _ targets: [Float], count: Int) {
    var sums = [Double](repeating: 0, count: n)
    for row in 0..<count {
      for column in 0..<n { sums[column] += Double(rows[row * n + column]) }
    }
    for (index, target) in targets.enumerated() { targetMeans[index % outputs] += Double(target) }
    let means = sums.map { $0 / Double(count) }
    for i in 0..<n {
      for j in 0..<n { gram[i * n + j] = Float(Double(gram[i * n + j]) - sums[i] * means[j]) }
    }
    for output in 0..<outputs {
      constants[output] -= targetMeans[output] * targetMeans[output] / Double(count)
      for j in 0..<n {
        let index = output * n + j
        cross[index] = Float(Double(cross[index]) - targetMeans[output] * means[j])
      }
      targetMeans[output] /= Double(count)
    }
    inputMeans = means.map { Float($0) }
  }

  private mutating func regularize(toward weights: [Float]) {
    var trace = 0.0
    for i in 0..<n { trace += Double(gram[i * n + i]) }
    // Where nothing but zeros is read, the weights themselves are all there is to go by.
    let lambda = trace > 0 ? Self.damping * Float(trace / Double(n)) : 1
    for i in 0..<n { gram[i * n + i] += lambda }
    for index in cross.indices { cross[index] += lambda * weights[index] }
    for output in 0..<outputs {
      for weight in weights[output * n..<(output + 1) * n] {
        constants[output] += Double(lambda) * Double(weight) * Double(weight)
      }
    }
  }
}

extension LayerStatistics {
  /// The output error of weights as a function of a factor γ: constant − 2γ·linear + γ²·quadratic.
  struct ErrorTerms {
    var constant = 0.0
    var linear = 0.0
    var quadratic = 0.0

    /// The factor with the least error.
    var bestFactor: Double { quadratic > 0 ? linear / quadratic : 0 }

    func error(factor: Double = 1) -> Double {
      constant - 2 * factor * linear + factor * factor * quadratic
    }

    static func += (a: inout ErrorTerms, b: ErrorTerms) {
      a.constant += b.constant
      a.linear += b.linear
      a.quadratic += b.quadratic
    }
  }

  /// H times every row of a matrix [outputs, n].
  func fields(of weights: [Float]) -> [Float] {
    var columns = [Float](repeating: 0, count: weights.count)
    for output in 0..<outputs {
      for j in 0..<n { columns[j * outputs + output] = weights[output * n + j] }
    }
    var fields = [Float](repeating: 0, count: weights.count)
    addTransposedProduct(columns, columns: outputs, gram, columns: n, rows: n, to: &fields)
    return fields
  }

  /// The error of each output. O(outputs · n²).
  func errorTerms(of weights: [Float]) -> [ErrorTerms] {
    let fields = fields(of: weights)
    return (0..<outputs).map { output in
      var terms = ErrorTerms(constant: constants[output])
      for index in output * n..<(output + 1) * n {
        terms.linear += Double(weights[index]) * Double(cross[index])
        terms.quadratic += Double(weights[index]) * Double(fields[index])
      }
      return terms
    }
  }

  /// The mean of an output with these weights; 0 where no bias is fitted.
  func mean(of row: ArraySlice<Float>) -> Double {
    zip(row, inputMeans).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
}
