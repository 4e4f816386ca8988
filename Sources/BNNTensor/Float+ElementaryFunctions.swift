/// Elementary functions of float32 numbers, computed in double precision from +, −, ×, ÷ and bits, so
/// that every platform gives the same numbers. The result is the nearest number (but for 24 numbers
/// of tanh and 16 of erf, where it is the other neighbor), and never falls where the function rises.
/// The coefficients are those of `fixtures/scripts/fit_functions.py`.
extension Float {
  /// e^x
  package static func exponential(_ x: Float) -> Float {
    // Beyond the limits the result is 0 and infinity as well.
    Float(exponentialInRange(Double(x < -150 ? -150 : x > 130 ? 130 : x)))
  }

  /// The natural logarithm.
  package static func logarithm(_ x: Float) -> Float {
    guard x > 0, x < .infinity else { return x == 0 ? -.infinity : x < 0 ? .nan : x }
    // 2^k · m with m from √½ to √2
    let bits = Double(x).bitPattern
    let biased = (bits + 1024 << 52 - 0x3fe6_a09e_667f_3bcd) >> 52
    let m = Double(bitPattern: bits &- (biased &- 1024) << 52)
    let k = Double(biased) - 1024
    return Float(k * ln2High + (k * ln2Low + logarithmOfRatio((m - 1) / (m + 1))))
  }

  /// log(1 + x) for x from 0 to 1.
  package static func logarithmOfOnePlus(_ x: Float) -> Float {
    let y = Double(x)
    guard x > 0.41421356 else { return Float(logarithmOfRatio(y / (y + 2))) }
    return Float(0.6931471805599453 + logarithmOfRatio((y - 1) / (y + 3)))
  }

  package static func hyperbolicTangent(_ x: Float) -> Float {
    // It rounds to x; the difference below would lose its bits.
    if x.magnitude < 0x1p-13 { return x }
    let e = exponentialInRange(2 * Double(x.magnitude > 20 ? 20 : x.magnitude))
    return Float(signOf: x, magnitudeOf: Float((e - 1) / (e + 1)))
  }

  package static func errorFunction(_ x: Float) -> Float {
    // x · p((x² − 8) / 8), even and odd powers apart: from 4 on the result is ±1.
    let y = Double(x < -4 ? -4 : x > 4 ? 4 : x)
    let u = y * y * 0.125 - 1
    let v = u * u
    var even = 1.470596054227332e-7
    even = even * v + 6.435055673730993e-7
    even = even * v + 7.17946533355761e-6
    even = even * v + 4.751330675829427e-5
    even = even * v + 0.00027577056977207826
    even = even * v + 0.0012925067184882686
    even = even * v + 0.0048535834651676395
    even = even * v + 0.01434959246109288
    even = even * v + 0.03306063349320292
    even = even * v + 0.05988690492345173
    even = even * v + 0.09020899411407204
    even = even * v + 0.13167511689468112
    even = even * v + 0.35353099564340495
    var odd = -4.877086856145344e-7
    odd = odd * v - 1.7848993024438428e-6
    odd = odd * v - 1.9631487154950747e-5
    odd = odd * v - 0.00011653664526997821
    odd = odd * v - 0.0006137606235525727
    odd = odd * v - 0.002577846611250372
    odd = odd * v - 0.008606338067955617
    odd = odd * v - 0.022473544656357074
    odd = odd * v - 0.04576511340256077
    odd = odd * v - 0.07472786553616904
    odd = odd * v - 0.10771044253534588
    odd = odd * v - 0.17657623330130645
    return Float(y * (even + u * odd))
  }
}

/// 32 bits: a product with an exponent is exact.
private let ln2High = 0x1.62e42fee00000p-1
private let ln2Low = 1.9082149292705877e-10

/// e^x for |x| < 700: 2^n · e^r with |r| ≤ ln 2 / 2, e^r = 1 + r + r² · p(r).
private func exponentialInRange(_ x: Double) -> Double {
  // Adding a small number leaves the nearest integer in the lowest bits.
  let shifted = x * 1.4426950408889634 + 0x1.8p52
  let n = shifted - 0x1.8p52
  let r = x - n * ln2High - n * ln2Low
  var p = 2.761380686153829e-7
  p = p * r + 2.762511557828763e-6
  p = p * r + 2.4801536388690766e-5
  p = p * r + 0.00019841208732536384
  p = p * r + 0.0013888888905881542
  p = p * r + 0.008333333353729397
  p = p * r + 0.04166666666665136
  p = p * r + 0.1666666666664829
  p = p * r + 0.5
  return (1 + (r + r * r * p)) * Double(bitPattern: (shifted.bitPattern &+ 1023) << 52)
}

/// log((1 + s) / (1 − s)) for |s| ≤ 0.1716: 2 s + 2 s³ · p(s²).
private func logarithmOfRatio(_ s: Double) -> Double {
  let z = s * s
  var p = 0.08311038520891986
  p = p * z + 0.0907008830015765
  p = p * z + 0.11111431336825661
  p = p * z + 0.14285712067353898
  p = p * z + 0.20000000005608948
  p = p * z + 0.3333333333333104
  return 2 * (s + s * z * p)
}
