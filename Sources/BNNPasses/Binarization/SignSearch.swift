import BNNTensor

/// Looks for the signs b and the scale α of one output with the least output error
/// E(αb) = c − 2α b·g + α² bᵀHb.
///
/// The field Hb is maintained, so that what a change of one bit does to E takes O(1) to tell and
/// O(n) to do.
struct SignSearch {
  private let n: Int
  private let gram: UnsafePointer<Float>
  private let linear: UnsafePointer<Float>
  /// b, ±1.
  private(set) var signs: [Float]
  /// Hb.
  private var field: [Float]
  /// b·g.
  private var product: Double
  /// bᵀHb.
  private var quadratic: Double

  /// How many times annealing asks every bit.
  static let sweeps = 32

  /// - Parameters:
  ///   - gram: H, [n, n], positive definite.
  ///   - linear: g, n numbers.
  ///   - field: Hb.
  init(
    gram: UnsafePointer<Float>, linear: UnsafePointer<Float>, signs: [Float], field: [Float]
  ) {
    (n, self.gram, self.linear) = (signs.count, gram, linear)
    (self.signs, self.field, product, quadratic) = (signs, field, 0, 0)
    for i in 0..<n {
      product += Double(signs[i]) * Double(linear[i])
      quadratic += Double(signs[i]) * Double(field[i])
    }
    guard product < 0 else { return }
    // The same weights with a positive scale.
    product = -product
    for i in 0..<n { (self.signs[i], self.field[i]) = (-signs[i], -field[i]) }
  }

  /// The best scale for the signs.
  var scale: Double { quadratic > 0 ? product / quadratic : 0 }

  /// How much less than c the error is with the best scale.
  private var score: Double { quadratic > 0 ? product * product / quadratic : 0 }

  private mutating func flip(_ i: Int) {
    let sign = signs[i]
    product -= 2 * Double(sign) * Double(linear[i])
    quadratic += -4 * Double(sign) * Double(field[i]) + 4 * Double(gram[i * n + i])
    let row = gram + i * n
    let factor = 2 * sign
    let n = n
    field.withUnsafeMutableBufferPointer { field in
      for j in 0..<n { field[j] -= factor * row[j] }
    }
    signs[i] = -sign
  }

  /// The score with another bit, α chosen anew.
  @inline(__always)
  private func scoreAfterFlip(_ i: Int) -> Double {
    let sign = Double(signs[i])
    let product = product - 2 * sign * Double(linear[i])
    let quadratic = quadratic - 4 * sign * Double(field[i]) + 4 * Double(gram[i * n + i])
    return product > 0 && quadratic > 0 ? product * product / quadratic : -.infinity
  }
}

extension SignSearch {
  /// Changes the bit that helps most, until none does. O(n) per bit.
  mutating func descend() {
    // Rounding could otherwise let two states take turns for ever.
    for _ in 0..<8 * n {
      var (best, bit) = (score * (1 + 1e-9), -1)
      for i in 0..<n {
        let candidate = scoreAfterFlip(i)
        if candidate > best { (best, bit) = (candidate, i) }
      }
      guard bit >= 0 else { return }
      flip(bit)
    }
  }

  /// Simulated annealing with a geometric schedule, then descent; the best state that was reached
  /// at the start or the end stays.
  ///
  /// The first temperature is half of what a bit costs on average where the search begins.
  mutating func anneal(seed: UInt64) {
    let start = self
    var total = 0.0
    for i in 0..<n {
      let candidate = scoreAfterFlip(i)
      total += candidate.isFinite ? max(0, score - candidate) : 0
    }
    var temperature = 0.5 * total / Double(n)
    var random = SplitMix64(state: seed)
    for _ in 0..<Self.sweeps where temperature > 0 {
      for i in 0..<n {
        let gain = scoreAfterFlip(i) - score
        if gain >= 0 || gain > -temperature * random.exponential() { flip(i) }
      }
      temperature *= 0.85
    }
    descend()
    if score <= start.score { self = start }
  }

  /// Minimizes over the bits with the scale as it is, one by one until none helps, and over the
  /// scale, in turn until nothing changes.
  mutating func alternate() {
    for _ in 0..<8 * n {
      let scale = scale
      var changed = false
      for i in 0..<n {
        let sign = Double(signs[i])
        let change =
          4 * scale * sign * Double(linear[i])
          + scale * scale * (4 * Double(gram[i * n + i]) - 4 * sign * Double(field[i]))
        if change < -1e-9 * scale * product {
          flip(i)
          changed = true
        }
      }
      guard changed, product > 0 else { return }
    }
  }
}

extension SplitMix64 {
  /// Exponentially distributed with mean 1, by von Neumann's comparisons of uniform numbers: no
  /// logarithm, whose last bit may depend on the platform.
  mutating func exponential() -> Double {
    var whole = 0.0
    while true {
      let first = unit()
      var (last, count) = (first, 1)
      while true {
        let next = unit()
        if next >= last { break }
        (last, count) = (next, count + 1)
      }
      if count % 2 == 1 { return whole + first }
      whole += 1
    }
  }

  private mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
