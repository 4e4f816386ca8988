import BNNGraph
import BNNTensor

extension ValueBounds.Interval {
  init(enclosing tensor: Tensor) {
    self = .all
    guard tensor.elementType.isFloatingPoint else { return }
    let numbers = tensor.floats
    guard let lower = numbers.min(), let upper = numbers.max(),
      !numbers.contains(where: \.isNaN)
    else { return }
    (self.lower, self.upper) = (lower, upper)
  }

  /// 0 on the side that no element crosses.
  var sameSide: Self {
    Self(
      lower: isNeverNegative ? 0 : -.infinity, upper: isNeverPositive ? 0 : .infinity)
  }

  func union(_ other: Self) -> Self {
    Self(lower: min(lower, other.lower), upper: max(upper, other.upper))
  }

  func intersection(_ other: Self) -> Self {
    let (from, to) = (max(lower, other.lower), min(upper, other.upper))
    // Where there is no element, any interval holds them.
    return from <= to ? Self(lower: from, upper: to) : other
  }

  func image(of function: PointwiseFunction) -> Self {
    switch function {
    case .relu: return Self(lower: max(lower, 0), upper: max(upper, 0))
    case .absolute, .squareRoot, .exponential, .softplus, .hyperbolicCosine: return .neverNegative
    case .sigmoid, .hardSigmoid: return .unit
    case .negate: return Self(lower: -upper, upper: -lower)
    case .floor, .ceiling, .roundHalfToEven, .tanh, .erf, .softsign, .sign, .hardSwish, .gelu,
      .arcsine, .arctangent, .hyperbolicSine, .inverseHyperbolicSine, .inverseHyperbolicTangent:
      return sameSide
    case .leakyRelu(let alpha) where alpha <= 0, .elu(let alpha) where alpha <= 0:
      return .neverNegative
    case .leakyRelu, .elu: return sameSide
    case .celu(let alpha): return alpha >= 0 ? sameSide : .all
    case .selu(let alpha, let gamma): return alpha >= 0 && gamma >= 0 ? sameSide : .all
    default: return .all
    }
  }

  func image(of function: ReduceFunction) -> Self {
    switch function {
    case .maximum, .minimum: self
    case .mean, .sum: sameSide
    case .product: isNeverNegative ? .neverNegative : .all
    case .l1, .l2, .sumSquare: .neverNegative
    case .logSum, .logSumExp: .all
    }
  }

  func combined(with other: Self, _ function: BinaryFunction) -> Self {
    switch function {
    case .add: return Self(enclosing: [lower + other.lower, upper + other.upper])
    case .subtract: return Self(enclosing: [lower - other.upper, upper - other.lower])
    case .multiply:
      return Self(
        enclosing: [
          product(lower, other.lower), product(lower, other.upper), product(upper, other.lower),
          product(upper, other.upper),
        ])
    case .divide:
      if other.lower > 0 { return sameSide }
      return other.upper < 0 ? image(of: .negate).sameSide : .all
    case .power:
      let isEven = other.lower == other.upper && other.lower.remainder(dividingBy: 2) == 0
      return isNeverNegative || isEven ? .neverNegative : .all
    case .maximum: return Self(lower: max(lower, other.lower), upper: max(upper, other.upper))
    case .minimum: return Self(lower: min(lower, other.lower), upper: min(upper, other.upper))
    case .remainder: return .all
    }
  }

  /// An end of an interval that is infinite stands for all finite numbers, too: 0 times it is 0.
  private func product(_ a: Float, _ b: Float) -> Float { a == 0 || b == 0 ? 0 : a * b }

  private init(enclosing numbers: [Float]) {
    guard let lower = numbers.min(), let upper = numbers.max(),
      !numbers.contains(where: \.isNaN)
    else {
      self = .all
      return
    }
    (self.lower, self.upper) = (lower, upper)
  }
}
