import BNNTensor

/// Pointwise steps of which neighbouring scales and shifts are merged in double precision, unless
/// each has to be rounded by itself.
struct StepList {
  /// Whether scales and shifts that are added are merged with those before.
  var isMerging = true
  private var steps: [PointwiseStep] = []
  private var scale: [Double] = [1]
  private var bias: [Double] = [0]

  mutating func scale(by factors: [Float]) {
    if !isMerging { flush() }
    scale = zip(scale, factors.map { Double($0) }, *)
    bias = zip(bias, factors.map { Double($0) }, *)
  }

  /// False for divisions that no product is equal to, where that matters.
  mutating func divide(by divisors: [Float]) -> Bool {
    guard isMerging else {
      guard divisors.allSatisfy({ $0.isPowerOfTwo }) else { return false }
      scale(by: divisors.map { 1 / $0 })
      return true
    }
    scale = zip(scale, divisors.map { Double($0) }, /)
    bias = zip(bias, divisors.map { Double($0) }, /)
    return true
  }

  mutating func shift(by terms: [Float]) {
    // A product and a sum behind it are rounded one after the other anyway.
    if !isMerging, bias != [0] { flush() }
    bias = zip(bias, terms.map { Double($0) }, +)
  }

  mutating func append(_ step: PointwiseStep) {
    if case .affine(let factors, let terms) = step {
      scale(by: factors)
      shift(by: terms)
    } else {
      flush()
      steps.append(step.balanced)
    }
  }

  private mutating func flush() {
    guard scale != [1] || bias != [0] else { return }
    // No bias is −0, whatever it came from.
    let step = PointwiseStep.affine(
      scale: scale.map { Float($0) }, bias: bias.map { Float($0) + 0 })
    steps.append(step.balanced)
    scale = [1]
    bias = [0]
  }

  var finished: [PointwiseStep] {
    var copy = self
    copy.flush()
    return copy.steps
  }

  /// Combines lists that have one entry per channel or one for all.
  private func zip(
    _ a: [Double], _ b: [Double], _ combine: (Double, Double) -> Double
  ) -> [Double] {
    if a.count == 1 { return b.map { combine(a[0], $0) } }
    if b.count == 1 { return a.map { combine($0, b[0]) } }
    return a.indices.map { combine(a[$0], b[$0]) }
  }
}

extension PointwiseStep {
  /// The step with one entry in both of its lists if that says all, else one per channel in both.
  var balanced: PointwiseStep {
    func balance(_ a: [Float], _ b: [Float]) -> ([Float], [Float]) {
      let (x, y) = (a.collapsed, b.collapsed)
      let count = max(x.count, y.count)
      return (x.expanded(to: count), y.expanded(to: count))
    }
    switch self {
    case .affine(let scale, let bias):
      let (a, b) = balance(scale, bias)
      return .affine(scale: a, bias: b)
    case .slopes(let positive, let negative):
      let (a, b) = balance(positive, negative)
      return .slopes(positive: a, negative: b)
    default: return self
    }
  }
}

extension Float {
  /// Whether dividing by the number is the same as multiplying with its reciprocal.
  fileprivate var isPowerOfTwo: Bool {
    isNormal && significandBitPattern == 0 && (1 / self).isNormal
  }
}
