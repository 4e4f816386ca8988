import BNNTensor
import Testing

@testable import BNNGraph

@Suite struct UnaryTests {
  @Test func absolute() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .absolute)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([.infinity, 2.5, 1, 0.5, 0, 0.5, 1.5, 3, .infinity, .nan])], tolerance: 1e-06)
  }

  @Test func negate() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .negate)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([.infinity, 2.5, 1, 0.5, -0.0, -0.5, -1.5, -3, -.infinity, .nan])],
      tolerance: 1e-06)
  }

  @Test func floor() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .floor)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([-.infinity, -3, -1, -1, 0, 0, 1, 3, .infinity, .nan])], tolerance: 1e-06)
  }

  @Test func ceiling() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .ceiling)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([-.infinity, -2, -1, -0.0, 0, 1, 2, 3, .infinity, .nan])], tolerance: 1e-06)
  }

  @Test func roundHalfToEven() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .roundHalfToEven)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([-.infinity, -2, -1, -0.0, 0, 0, 2, 3, .infinity, .nan])], tolerance: 1e-06)
  }

  @Test func sign() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .sign)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([-1, -1, -1, -1, 0, 1, 1, 1, 1, .nan])], tolerance: 1e-06)
  }

  @Test func relu() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .relu)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([0, 0, 0, 0, 0, 0.5, 1.5, 3, .infinity, .nan])], tolerance: 1e-06)
  }

  @Test func reciprocal() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .reciprocal)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([-0.0, -0.4, -1, -2, .infinity, 2, 0.6666667, 0.33333334, 0, .nan])],
      tolerance: 1e-05)
  }

  @Test func exponential() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .exponential)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [
        floats([
          0, 0.082085, 0.36787945, 0.60653067, 1, 1.6487212, 4.481689, 20.085537, .infinity, .nan,
        ])
      ], tolerance: 1e-05)
  }

  @Test func sigmoid() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .sigmoid)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [
        floats([
          0, 0.075858176, 0.26894143, 0.3775407, 0.5, 0.6224593, 0.81757444, 0.95257413, 1, .nan,
        ])
      ], tolerance: 1e-05)
  }

  @Test func tanh() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .tanh)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [
        floats([
          -1, -0.98661435, -0.7615942, -0.46211717, 0, 0.46211717, 0.9051482, 0.9950547, 1, .nan,
        ])
      ], tolerance: 1e-05)
  }

  @Test func erf() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .erf)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [
        floats([
          -1, -0.9995931, -0.8427008, -0.5204999, 0, 0.5204999, 0.96610516, 0.9999779, 1, .nan,
        ])
      ], tolerance: 1e-05)
  }

  @Test func softplus() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .softplus)),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [
        floats([
          0, 0.07888974, 0.3132617, 0.474077, 0.6931472, 0.974077, 1.7014133, 3.0485873, .infinity,
          .nan,
        ])
      ], tolerance: 1e-05)
  }

  @Test func softsign() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .softsign)),
      [floats([-9, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, 9])],
      gives: [
        floats([-0.90000004, -0.71428573, -0.5, -0.33333334, 0, 0.33333334, 0.6, 0.75, 0.90000004])
      ], tolerance: 1e-06)
  }

  @Test func squareRoot() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .squareRoot)),
      [floats([0, 0.25, 2, 9, -1, .infinity])],
      gives: [floats([0, 0.5, 1.4142135, 3, .nan, .infinity])], tolerance: 1e-06)
  }

  @Test func logarithm() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .logarithm)),
      [floats([0, 0.25, 2, 9, -1, .infinity])],
      gives: [floats([-.infinity, -1.3862944, 0.6931472, 2.1972246, .nan, .infinity])],
      tolerance: 1e-06)
  }

  @Test func leakyRelu() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .leakyRelu(alpha: 0.1))),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([-.infinity, -0.25, -0.1, -0.05, 0, 0.5, 1.5, 3, .infinity, .nan])],
      tolerance: 1e-06)
  }

  @Test func elu() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .elu(alpha: 1.5))),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([-1.5, -1.3768725, -0.9481808, -0.590204, 0, 0.5, 1.5, 3, .infinity, .nan])],
      tolerance: 1e-06)
  }

  @Test func selu() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .selu(alpha: 1.5, gamma: 2))),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([-3, -2.753745, -1.8963616, -1.180408, 0, 1, 3, 6, .infinity, .nan])],
      tolerance: 1e-06)
  }

  @Test func celu() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .celu(alpha: 2))),
      [floats([-9, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, 9])],
      gives: [floats([-1.977782, -1.4269904, -0.78693867, -0.44239843, 0, 0.5, 1.5, 3, 9])],
      tolerance: 1e-06)
  }

  @Test func hardSigmoid() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .hardSigmoid(alpha: 0.25, beta: 0.5))),
      [floats([-.infinity, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, .infinity, .nan])],
      gives: [floats([0, 0, 0.25, 0.375, 0.5, 0.625, 0.875, 1, 1, .nan])], tolerance: 1e-06)
  }

  @Test func hardSwish() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .hardSwish)),
      [floats([-9, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, 9])],
      gives: [floats([-0.0, -0.20833328, -0.3333333, -0.20833333, 0, 0.29166666, 1.125, 3, 9])],
      tolerance: 1e-06)
  }

  @Test func gelu() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .gelu(tanhApproximation: false))),
      [floats([-9, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, 9])],
      gives: [
        floats([
          -0.0, -0.015524104, -0.15865526, -0.15426877, 0, 0.34573123, 1.3997892, 2.9959502, 9,
        ])
      ], tolerance: 1e-06)
  }

  @Test func geluByTanh() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .gelu(tanhApproximation: true))),
      [floats([-9, -2.5, -1, -0.5, 0, 0.5, 1.5, 3, 9])],
      gives: [
        floats([-0.0, -0.015084296, -0.15880796, -0.154286, 0, 0.345714, 1.3995715, 2.9963627, 9])
      ], tolerance: 1e-06)
  }

  @Test func integersWrap() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .negate)),
      [integers([-128, 5, 0], [3], .int8)],
      gives: [integers([-128, -5, 0], [3], .int8)])
  }

  @Test func absoluteOfIntegers() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .absolute)),
      [integers([-7, 5, 0], [3], .int32)],
      gives: [integers([7, 5, 0], [3], .int32)])
  }

  @Test func signOfIntegers() throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: .sign)),
      [integers([-7, 5, 0])],
      gives: [integers([-1, 1, 0])])
  }

  private static let trigonometry: [(PointwiseFunction, [Float])] = [
    (.sine, [0, 0.47942555, 0.84147096]),
    (.cosine, [1, 0.87758255, 0.5403023]), (.tangent, [0, 0.5463025, 1.5574077]),
    (.arcsine, [0, 0.5235988, 1.5707964]), (.arccosine, [1.5707964, 1.0471976, 0]),
    (.arctangent, [0, 0.4636476, 0.7853982]), (.hyperbolicSine, [0, 0.5210953, 1.1752012]),
    (.hyperbolicCosine, [1, 1.127626, 1.5430806]),
    (.inverseHyperbolicSine, [0, 0.4812118, 0.8813736]),
    (.inverseHyperbolicCosine, [.nan, .nan, 0]),
    (.inverseHyperbolicTangent, [0, 0.54930615, .infinity]),
  ]

  @Test(arguments: trigonometry)
  func trigonometric(function: PointwiseFunction, expected: [Float]) throws {
    try expect(
      .elementwiseUnary(ElementwiseUnary(function: function)), [floats([0, 0.5, 1])],
      gives: [floats(expected)], tolerance: 1e-6)
  }
}
