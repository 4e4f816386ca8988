/// Weights [outputs, n] as a sum of matrices whose rows are ±α, and a number.
struct BinaryApproximation: Equatable {
  /// Row-major, all of the same size.
  var bases: [[Float]]
  /// What is added to every weight.
  var offset: Float = 0

  /// The weights that it stands for.
  var weights: [Float] {
    var sum = bases[0]
    for base in bases.dropFirst() {
      for index in sum.indices { sum[index] += base[index] }
    }
    return offset == 0 ? sum : sum.map { $0 + offset }
  }

  /// All weights times a number.
  func scaled(by factor: Float) -> BinaryApproximation {
    BinaryApproximation(bases: bases.map { $0.map { $0 * factor } }, offset: offset * factor)
  }
}

extension BinaryApproximation {
  /// The approximation of a method that looks at nothing but weights; for the others where they
  /// start. A weight of 0 counts as positive.
  ///
  /// - Parameters:
  ///   - weights: [outputs, n], row-major, finite.
  ///   - outputs: at least 1.
  init(of weights: [Float], outputs: Int, method: BinarizationMethod) {
    switch method {
    case .sign: self.init(bases: [weights.map { $0 < 0 ? -1 : 1 }])
    case .xnor, .leastSquares, .qubo, .bilinear:
      self.init(bases: [scaledSigns(of: weights, outputs: outputs)])
    case .general:
      let means = TwoMeans(of: weights)
      let scale = means.high / 2 - means.low / 2
      self.init(
        bases: [weights.map { $0 < means.boundary ? -scale : scale }],
        offset: means.low / 2 + means.high / 2)
    case .residual(let count):
      var rest = weights
      var bases: [[Float]] = []
      for _ in 0..<count {
        let base = scaledSigns(of: rest, outputs: outputs)
        for index in rest.indices { rest[index] -= base[index] }
        bases.append(base)
      }
      self.init(bases: bases)
      fitScales(to: weights, outputs: outputs)
    }
  }

  /// Chooses the scales of all bases together: per output the least squares of `weights`.
  private mutating func fitScales(to weights: [Float], outputs: Int) {
    let each = weights.count / outputs
    for output in 0..<outputs {
      let range = output * each..<(output + 1) * each
      let signs = bases.map { base in base[range].map { $0 < 0 ? -1.0 : 1.0 } }
      let row = weights[range].map { Double($0) }
      let normal = signs.map { a in signs.map { b in dot(a, b) } }
      let scales = solve(normal, signs.map { dot($0, row) })
      for (base, scale) in scales.enumerated() {
        for (index, sign) in zip(range, signs[base]) { bases[base][index] = Float(scale * sign) }
      }
    }
  }
}

/// mean |W_o| · sign(W_o) in every row.
private func scaledSigns(of weights: [Float], outputs: Int) -> [Float] {
  let each = weights.count / outputs
  var result = [Float](repeating: 0, count: weights.count)
  for output in 0..<outputs {
    let range = output * each..<(output + 1) * each
    let sum = weights[range].reduce(0) { $0 + Double(abs($1)) }
    let scale = Float(sum / Double(each))
    for index in range { result[index] = weights[index] < 0 ? -scale : scale }
  }
  return result
}

private func dot(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}

/// A solution of a small symmetric system of normal equations. Unknowns that depend on the ones
/// before them, as bases do in rows of few weights, are 0.
private func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
  var (rows, result) = (matrix, right)
  let pivots = rows.indices.filter { pivot in
    guard rows[pivot][pivot] > 1e-9 * matrix[pivot][pivot] else { return false }
    for row in rows.indices where row != pivot {
      let factor = rows[row][pivot] / rows[pivot][pivot]
      for column in rows.indices { rows[row][column] -= factor * rows[pivot][column] }
      result[row] -= factor * result[pivot]
    }
    return true
  }
  return rows.indices.map { pivots.contains($0) ? result[$0] / rows[$0][$0] : 0 }
}
