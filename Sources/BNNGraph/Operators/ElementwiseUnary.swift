import BNNTensor

/// Applies a function to each element. ONNX `Relu`, `Sigmoid`, `Sign`, `Neg`, `Not` (as
/// comparison's partner) and so on.
public struct ElementwiseUnary: Operator, Hashable {
  public var function: PointwiseFunction

  public init(function: PointwiseFunction) {
    self.function = function
  }

  public var name: String { function.operatorName }
}

extension ElementwiseUnary {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = function.allowsIntegers ? try inputs.number(0) : try inputs.float(0)
    return [ResultType(x.elementType, x.shape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let x = try inputs.required(0)
    switch x.storage {
    case .double(let elements):
      return [Tensor(function.applied(to: elements), shape: x.shape)]
    case .integer(let elements):
      let result = elements.map { function.applied(to: $0).narrowed(to: x.elementType) }
      return [Tensor(result, shape: x.shape, elementType: x.elementType)]
    default:
      return [
        Tensor(rounding: function.applied(to: x.floats), shape: x.shape, to: x.elementType)
      ]
    }
  }
}

extension PointwiseFunction {
  fileprivate var allowsIntegers: Bool {
    switch self {
    case .absolute, .negate, .sign, .relu: true
    default: false
    }
  }

  /// The function of an integer, for those that allow one; wraps around.
  fileprivate func applied(to x: Int64) -> Int64 {
    switch self {
    case .absolute: x < 0 ? 0 &- x : x
    case .negate: 0 &- x
    case .sign: x.signum()
    default: max(x, 0)
    }
  }

  /// The ONNX operator of this meaning.
  fileprivate var operatorName: String {
    switch self {
    case .absolute: "Abs"
    case .negate: "Neg"
    case .reciprocal: "Reciprocal"
    case .squareRoot: "Sqrt"
    case .exponential: "Exp"
    case .logarithm: "Log"
    case .floor: "Floor"
    case .ceiling: "Ceil"
    case .roundHalfToEven: "Round"
    case .sigmoid: "Sigmoid"
    case .tanh: "Tanh"
    case .erf: "Erf"
    case .softplus: "Softplus"
    case .softsign: "Softsign"
    case .sign: "Sign"
    case .relu: "Relu"
    case .leakyRelu: "LeakyRelu"
    case .elu: "Elu"
    case .selu: "Selu"
    case .celu: "Celu"
    case .hardSigmoid: "HardSigmoid"
    case .hardSwish: "HardSwish"
    case .gelu: "Gelu"
    case .sine: "Sin"
    case .cosine: "Cos"
    case .tangent: "Tan"
    case .arcsine: "Asin"
    case .arccosine: "Acos"
    case .arctangent: "Atan"
    case .hyperbolicSine: "Sinh"
    case .hyperbolicCosine: "Cosh"
    case .inverseHyperbolicSine: "Asinh"
    case .inverseHyperbolicCosine: "Acosh"
    case .inverseHyperbolicTangent: "Atanh"
    }
  }
}
