/// A function of one number without parameters that differ by channel.
public enum PointwiseFunction: Hashable, Sendable {
  case absolute, negate, reciprocal, squareRoot, exponential, logarithm
  case floor, ceiling, roundHalfToEven
  case sigmoid, tanh, erf, softplus, softsign
  /// 0 at 0, NaN for NaN (ONNX `Sign`, which leaves NaN open, as ONNX Runtime reads it).
  case sign
  case relu
  case leakyRelu(alpha: Float)
  case elu(alpha: Float)
  case selu(alpha: Float, gamma: Float)
  case celu(alpha: Float)
  case hardSigmoid(alpha: Float, beta: Float)
  case hardSwish
  case gelu(tanhApproximation: Bool)
  case sine, cosine, tangent, arcsine, arccosine, arctangent
  case hyperbolicSine, hyperbolicCosine
  case inverseHyperbolicSine, inverseHyperbolicCosine, inverseHyperbolicTangent
}

/// One step that is applied to every element of a value, channel by channel.
///
/// Lists of parameters have one entry per channel or one for all. Every arithmetic operation
/// rounds to float32 by itself: no fused multiply-add.
public enum PointwiseStep: Hashable, Sendable {
  /// `y = x·scale + bias`.
  case affine(scale: [Float], bias: [Float])
  /// `y = x < 0 ? negative·x : positive·x` (PReLU with `positive` 1; FPReLU).
  case slopes(positive: [Float], negative: [Float])
  /// `y = min(max(x, lower), upper)`; NaN stays NaN.
  case clamp(lower: Float, upper: Float)
  case function(PointwiseFunction)
  /// `y = x + operand`: another value, broadcast to the shape of x.
  case add(operand: Int)
  /// `y = x · operand`: another value, broadcast to the shape of x.
  case multiply(operand: Int)
}

/// What happens to the result of a layer before it is written: the steps in order, then real
/// values, bits, or both. `operand` in a step counts the layer's further operands from 0.
public struct Epilogue: Hashable, Sendable {
  public var steps: [PointwiseStep]
  public var output: Output

  public enum Output: Hashable, Sendable {
    case values
    /// Bits by testing the real values after the steps.
    case bits(Thresholds<Float>)
    /// First the real values, then their bits.
    case valuesAndBits(Thresholds<Float>)
    /// Bits by testing the integer accumulator of a binary convolution; there are no steps.
    case accumulatorBits(Thresholds<Int32>)
  }

  public init(steps: [PointwiseStep] = [], output: Output = .values) {
    self.steps = steps
    self.output = output
  }

  /// Element types of the outputs in order.
  public var outputTypes: [ElementType] {
    switch output {
    case .values: [.float32]
    case .bits, .accumulatorBits: [.sign]
    case .valuesAndBits: [.float32, .sign]
    }
  }

  /// One more than the largest operand index that a step names.
  public var operandCount: Int {
    steps.reduce(0) { count, step in
      switch step {
      case .add(let operand), .multiply(let operand): max(count, operand + 1)
      default: count
      }
    }
  }
}
