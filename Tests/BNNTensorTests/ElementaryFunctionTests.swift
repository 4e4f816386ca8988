import BNNTensor
import Testing

/// Functions of float32 numbers against those of the C library in double precision.
@Suite struct ElementaryFunctionTests {
  struct Function: CustomTestStringConvertible, Sendable {
    let name: String
    let range: ClosedRange<Float>
    let function: @Sendable (Float) -> Float
    let exact: @Sendable (Double) -> Double
    var testDescription: String { name }
  }

  static let functions = [
    Function(
      name: "exp", range: -110...95, function: Float.exponential, exact: Double.exponential),
    Function(
      name: "log", range: 0...(.greatestFiniteMagnitude), function: Float.logarithm,
      exact: Double.logarithm),
    Function(
      name: "log1p", range: 0...1, function: Float.logarithmOfOnePlus,
      exact: Double.logarithmOfOnePlus),
    Function(
      name: "tanh", range: -12...12, function: Float.hyperbolicTangent,
      exact: Double.hyperbolicTangent),
    Function(
      name: "erf", range: -6...6, function: Float.errorFunction, exact: Double.errorFunction),
  ]

  /// Every 1009th number of the range and its neighbor.
  @Test(arguments: functions) func nearestNumbersInOrder(function: Function) {
    var (different, falling, total) = (0, 0, 0)
    func check(from first: UInt32, to last: UInt32, isNegative: Bool) {
      var pattern = first
      while pattern <= last {
        let x = Float(bitPattern: pattern)
        let (low, high) = isNegative ? (-x.nextUp, -x) : (x, x.nextUp)
        let y = function.function(low)
        if y > function.function(high) { falling += 1 }
        if y != Float(function.exact(Double(low))) { different += 1 }
        total += 1
        pattern += 1009
      }
    }
    check(
      from: max(0, function.range.lowerBound).bitPattern, to: function.range.upperBound.bitPattern,
      isNegative: false)
    if function.range.lowerBound < 0 {
      check(from: 0, to: (-function.range.lowerBound).bitPattern, isNegative: true)
    }
    #expect(total > 1_000_000 && falling == 0 && different == 0)
  }

  @Test func specialNumbers() {
    #expect(Float.exponential(0) == 1 && Float.exponential(-.infinity) == 0)
    #expect(Float.exponential(.infinity) == .infinity && Float.exponential(89) == .infinity)
    #expect(Float.exponential(-104) == 0 && Float.exponential(-103) == .leastNonzeroMagnitude)
    #expect(Float.logarithm(0) == -.infinity && Float.logarithm(-0.0) == -.infinity)
    #expect(Float.logarithm(1) == 0 && Float.logarithm(.infinity) == .infinity)
    #expect(Float.logarithm(-1).isNaN && Float.logarithm(-.infinity).isNaN)
    #expect(Float.hyperbolicTangent(-.infinity) == -1 && Float.errorFunction(.infinity) == 1)
    #expect(
      Float.hyperbolicTangent(-0.0).sign == .minus && Float.errorFunction(-0.0).sign == .minus)
    for function in Self.functions { #expect(function.function(.nan).isNaN, "\(function.name)") }
  }
}
