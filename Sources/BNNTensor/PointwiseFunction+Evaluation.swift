#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A float type with functions of its own precision: the C library's but for those of
/// `Float+ElementaryFunctions.swift`.
package protocol ElementaryFloat: BinaryFloatingPoint, Sendable {
  static func exponential(_ x: Self) -> Self
  static func logarithm(_ x: Self) -> Self
  /// log(1 + x) for x from 0 to 1.
  static func logarithmOfOnePlus(_ x: Self) -> Self
  static func hyperbolicTangent(_ x: Self) -> Self
  static func errorFunction(_ x: Self) -> Self
  static func power(_ x: Self, _ exponent: Self) -> Self
  static func sine(_ x: Self) -> Self
  static func cosine(_ x: Self) -> Self
  static func tangent(_ x: Self) -> Self
  static func arcsine(_ x: Self) -> Self
  static func arccosine(_ x: Self) -> Self
  static func arctangent(_ x: Self) -> Self
  static func hyperbolicSine(_ x: Self) -> Self
  static func hyperbolicCosine(_ x: Self) -> Self
  static func inverseHyperbolicSine(_ x: Self) -> Self
  static func inverseHyperbolicCosine(_ x: Self) -> Self
  static func inverseHyperbolicTangent(_ x: Self) -> Self
}

extension Float: ElementaryFloat {
  package static func power(_ x: Float, _ exponent: Float) -> Float { powf(x, exponent) }
  package static func sine(_ x: Float) -> Float { sinf(x) }
  package static func cosine(_ x: Float) -> Float { cosf(x) }
  package static func tangent(_ x: Float) -> Float { tanf(x) }
  package static func arcsine(_ x: Float) -> Float { asinf(x) }
  package static func arccosine(_ x: Float) -> Float { acosf(x) }
  package static func arctangent(_ x: Float) -> Float { atanf(x) }
  package static func hyperbolicSine(_ x: Float) -> Float { sinhf(x) }
  package static func hyperbolicCosine(_ x: Float) -> Float { coshf(x) }
  package static func inverseHyperbolicSine(_ x: Float) -> Float { asinhf(x) }
  package static func inverseHyperbolicCosine(_ x: Float) -> Float { acoshf(x) }
  package static func inverseHyperbolicTangent(_ x: Float) -> Float { atanhf(x) }
}

extension Double: ElementaryFloat {
  package static func exponential(_ x: Double) -> Double { exp(x) }
  package static func logarithm(_ x: Double) -> Double { log(x) }
  package static func logarithmOfOnePlus(_ x: Double) -> Double { log1p(x) }
  package static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
  package static func errorFunction(_ x: Double) -> Double { erf(x) }
  package static func power(_ x: Double, _ exponent: Double) -> Double { pow(x, exponent) }
  package static func sine(_ x: Double) -> Double { sin(x) }
  package static func cosine(_ x: Double) -> Double { cos(x) }
  package static func tangent(_ x: Double) -> Double { tan(x) }
  package static func arcsine(_ x: Double) -> Double { asin(x) }
  package static func arccosine(_ x: Double) -> Double { acos(x) }
  package static func arctangent(_ x: Double) -> Double { atan(x) }
  package static func hyperbolicSine(_ x: Double) -> Double { sinh(x) }
  package static func hyperbolicCosine(_ x: Double) -> Double { cosh(x) }
  package static func inverseHyperbolicSine(_ x: Double) -> Double { asinh(x) }
  package static func inverseHyperbolicCosine(_ x: Double) -> Double { acosh(x) }
  package static func inverseHyperbolicTangent(_ x: Double) -> Double { atanh(x) }
}

/// The larger of two; NaN when either is.
@inlinable package func propagatingMaximum<T: FloatingPoint>(_ a: T, _ b: T) -> T {
  a.isNaN || a > b ? a : b
}

/// The smaller of two; NaN when either is.
@inlinable package func propagatingMinimum<T: FloatingPoint>(_ a: T, _ b: T) -> T {
  a.isNaN || a < b ? a : b
}

extension PointwiseFunction {
  /// The function of every element. Each operation of a formula rounds by itself.
  package func applied(to elements: [Float]) -> [Float] { results(of: elements) }
  package func applied(to elements: [Double]) -> [Double] { results(of: elements) }

  private func results<T: ElementaryFloat>(of elements: [T]) -> [T] {
    [T](unsafeUninitializedCapacity: elements.count) { results, initialized in
      elements.withUnsafeBufferPointer { elements in
        guard let from = elements.baseAddress, let to = results.baseAddress else { return }
        evaluate(elements.count, from, to: to)
        initialized = elements.count
      }
    }
  }

  /// Replaces every element with the function of it.
  package func apply(to elements: UnsafeMutableBufferPointer<Float>) {
    guard let first = elements.baseAddress else { return }
    evaluate(elements.count, UnsafePointer(first), to: first)
  }

  /// Functions of one instruction have loops of their own, which the compiler vectorizes.
  private func evaluate<T: ElementaryFloat>(
    _ count: Int, _ x: UnsafePointer<T>, to y: UnsafeMutablePointer<T>
  ) {
    switch self {
    case .absolute: for index in 0..<count { y[index] = x[index].magnitude }
    case .negate: for index in 0..<count { y[index] = -x[index] }
    case .sign:
      for index in 0..<count {
        let x = x[index]
        // Without a branch, which no CPU could predict. NaN stays NaN.
        let sign: T = (x > 0 ? 1 : 0) - (x < 0 ? 1 : 0)
        y[index] = x == x ? sign : x
      }
    default:
      let body: (T) -> T = formula()
      for index in 0..<count { y[index] = body(x[index]) }
    }
  }

  /// The formula, chosen once for all elements.
  private func formula<T: ElementaryFloat>() -> (T) -> T {
    switch self {
    case .reciprocal: { 1 / $0 }
    case .squareRoot: { $0.squareRoot() }
    case .exponential: { T.exponential($0) }
    case .logarithm: { T.logarithm($0) }
    case .floor: { $0.rounded(.down) }
    case .ceiling: { $0.rounded(.up) }
    case .roundHalfToEven: { $0.rounded(.toNearestOrEven) }
    default: activation()
    }
  }

  private func activation<T: ElementaryFloat>() -> (T) -> T {
    switch self {
    case .relu: { propagatingMaximum($0, 0) }
    case .leakyRelu(let alpha): { $0 < 0 ? T(alpha) * $0 : $0 }
    // 1 / (1 + e^−x)
    case .sigmoid: { 1 / (1 + T.exponential(-$0)) }
    case .tanh: { T.hyperbolicTangent($0) }
    case .erf: { T.errorFunction($0) }
    // log(1 + e^x), written so that e^x cannot overflow
    case .softplus:
      { propagatingMaximum($0, 0) + T.logarithmOfOnePlus(T.exponential(-$0.magnitude)) }
    case .softsign: { $0 / (1 + $0.magnitude) }
    case .elu(let alpha): { $0 < 0 ? T(alpha) * (T.exponential($0) - 1) : $0 }
    case .selu(let alpha, let gamma):
      { T(gamma) * ($0 > 0 ? $0 : T(alpha) * (T.exponential($0) - 1)) }
    case .celu(let alpha): { $0 < 0 ? T(alpha) * (T.exponential($0 / T(alpha)) - 1) : $0 }
    case .hardSigmoid(let alpha, let beta): { unitClamp(T(alpha) * $0 + T(beta)) }
    // x · clamp(x / 6 + 1/2, 0, 1)
    case .hardSwish: { $0 * unitClamp($0 * (1 / 6) + 0.5) }
    default: trigonometric()
    }
  }

  private func trigonometric<T: ElementaryFloat>() -> (T) -> T {
    switch self {
    case .sine: { T.sine($0) }
    case .cosine: { T.cosine($0) }
    case .tangent: { T.tangent($0) }
    case .arcsine: { T.arcsine($0) }
    case .arccosine: { T.arccosine($0) }
    case .arctangent: { T.arctangent($0) }
    case .hyperbolicSine: { T.hyperbolicSine($0) }
    case .hyperbolicCosine: { T.hyperbolicCosine($0) }
    case .inverseHyperbolicSine: { T.inverseHyperbolicSine($0) }
    case .inverseHyperbolicCosine: { T.inverseHyperbolicCosine($0) }
    case .inverseHyperbolicTangent: { T.inverseHyperbolicTangent($0) }
    default: gelu()
    }
  }

  private func gelu<T: ElementaryFloat>() -> (T) -> T {
    if case .gelu(tanhApproximation: true) = self {
      // x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
      return { x in
        let inner = T(0.7978845608028654) * (x + T(0.044715) * (x * x * x))
        return T(0.5) * x * (1 + T.hyperbolicTangent(inner))
      }
    }
    // x/2 · (1 + erf(x / √2))
    return { x in T(0.5) * x * (1 + T.errorFunction(x * T(0.7071067811865476))) }
  }
}

/// min(max(x, 0), 1); NaN stays NaN.
private func unitClamp<T: ElementaryFloat>(_ x: T) -> T {
  propagatingMinimum(propagatingMaximum(x, 0), 1)
}
