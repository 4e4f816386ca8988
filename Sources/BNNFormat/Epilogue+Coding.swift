import BNNTensor

private enum OutputCode: UInt8 {
  case values = 0, bits = 1, valuesAndBits = 2, accumulatorBits = 3
}

private enum StepCode: UInt8 {
  case affine = 0, slopes = 1, clamp = 2, function = 3, add = 4, multiply = 5
}

private enum FunctionCode: UInt8 {
  case absolute = 0, negate, reciprocal, squareRoot, exponential, logarithm
  case floor, ceiling, roundHalfToEven
  case sigmoid, tanh, erf, softplus, softsign, sign, relu
  case leakyRelu, elu, selu, celu, hardSigmoid, hardSwish, gelu
  case sine, cosine, tangent, arcsine, arccosine, arctangent
  case hyperbolicSine, hyperbolicCosine
  case inverseHyperbolicSine, inverseHyperbolicCosine, inverseHyperbolicTangent
}

// MARK: Writing

extension RecordWriter {
  mutating func epilogue(_ epilogue: Epilogue) {
    bytes.integer(epilogue.steps.count)
    for step in epilogue.steps { self.step(step) }
    switch epilogue.output {
    case .values: bytes.byte(OutputCode.values.rawValue)
    case .bits(let thresholds):
      bytes.byte(OutputCode.bits.rawValue)
      self.thresholds(thresholds)
    case .valuesAndBits(let thresholds):
      bytes.byte(OutputCode.valuesAndBits.rawValue)
      self.thresholds(thresholds)
    case .accumulatorBits(let thresholds):
      bytes.byte(OutputCode.accumulatorBits.rawValue)
      self.thresholds(thresholds)
    }
  }

  private mutating func step(_ step: PointwiseStep) {
    switch step {
    case .affine(let scale, let bias):
      bytes.byte(StepCode.affine.rawValue)
      list(scale)
      list(bias)
    case .slopes(let positive, let negative):
      bytes.byte(StepCode.slopes.rawValue)
      list(positive)
      list(negative)
    case .clamp(let lower, let upper):
      bytes.byte(StepCode.clamp.rawValue)
      bytes.float(lower)
      bytes.float(upper)
    case .function(let function):
      bytes.byte(StepCode.function.rawValue)
      let (code, parameters) = encoded(function)
      bytes.byte(code.rawValue)
      for parameter in parameters { bytes.float(parameter) }
    case .add(let operand):
      bytes.byte(StepCode.add.rawValue)
      bytes.integer(operand)
    case .multiply(let operand):
      bytes.byte(StepCode.multiply.rawValue)
      bytes.integer(operand)
    }
  }

  private func encoded(_ function: PointwiseFunction) -> (FunctionCode, [Float]) {
    switch function {
    case .absolute: (.absolute, [])
    case .negate: (.negate, [])
    case .reciprocal: (.reciprocal, [])
    case .squareRoot: (.squareRoot, [])
    case .exponential: (.exponential, [])
    case .logarithm: (.logarithm, [])
    case .floor: (.floor, [])
    case .ceiling: (.ceiling, [])
    case .roundHalfToEven: (.roundHalfToEven, [])
    case .sigmoid: (.sigmoid, [])
    case .tanh: (.tanh, [])
    case .erf: (.erf, [])
    case .softplus: (.softplus, [])
    case .softsign: (.softsign, [])
    case .sign: (.sign, [])
    case .relu: (.relu, [])
    case .leakyRelu(let alpha): (.leakyRelu, [alpha])
    case .elu(let alpha): (.elu, [alpha])
    case .selu(let alpha, let gamma): (.selu, [alpha, gamma])
    case .celu(let alpha): (.celu, [alpha])
    case .hardSigmoid(let alpha, let beta): (.hardSigmoid, [alpha, beta])
    case .hardSwish: (.hardSwish, [])
    case .gelu(let tanhApproximation): (.gelu, [tanhApproximation ? 1 : 0])
    case .sine: (.sine, [])
    case .cosine: (.cosine, [])
    case .tangent: (.tangent, [])
    case .arcsine: (.arcsine, [])
    case .arccosine: (.arccosine, [])
    case .arctangent: (.arctangent, [])
    case .hyperbolicSine: (.hyperbolicSine, [])
    case .hyperbolicCosine: (.hyperbolicCosine, [])
    case .inverseHyperbolicSine: (.inverseHyperbolicSine, [])
    case .inverseHyperbolicCosine: (.inverseHyperbolicCosine, [])
    case .inverseHyperbolicTangent: (.inverseHyperbolicTangent, [])
    }
  }
}

// MARK: Reading

extension RecordReader {
  mutating func epilogue() throws(FormatError) -> Epilogue {
    var steps: [PointwiseStep] = []
    for _ in 0..<(try bytes.count(ofAtLeast: 2)) { steps.append(try step()) }
    let output: Epilogue.Output
    switch try bytes.code(.outputKind, OutputCode.init(rawValue:)) {
    case .values: output = .values
    case .bits: output = .bits(try floatThresholds())
    case .valuesAndBits: output = .valuesAndBits(try floatThresholds())
    case .accumulatorBits: output = .accumulatorBits(try integerThresholds())
    }
    return Epilogue(steps: steps, output: output)
  }

  private mutating func step() throws(FormatError) -> PointwiseStep {
    switch try bytes.code(.step, StepCode.init(rawValue:)) {
    case .affine: .affine(scale: try floats(), bias: try floats())
    case .slopes: .slopes(positive: try floats(), negative: try floats())
    case .clamp: .clamp(lower: try bytes.float(), upper: try bytes.float())
    case .function: .function(try function())
    case .add: .add(operand: try bytes.integer())
    case .multiply: .multiply(operand: try bytes.integer())
    }
  }

  private mutating func function() throws(FormatError) -> PointwiseFunction {
    switch try bytes.code(.function, FunctionCode.init(rawValue:)) {
    case .absolute: .absolute
    case .negate: .negate
    case .reciprocal: .reciprocal
    case .squareRoot: .squareRoot
    case .exponential: .exponential
    case .logarithm: .logarithm
    case .floor: .floor
    case .ceiling: .ceiling
    case .roundHalfToEven: .roundHalfToEven
    case .sigmoid: .sigmoid
    case .tanh: .tanh
    case .erf: .erf
    case .softplus: .softplus
    case .softsign: .softsign
    case .sign: .sign
    case .relu: .relu
    case .leakyRelu: .leakyRelu(alpha: try bytes.float())
    case .elu: .elu(alpha: try bytes.float())
    case .selu: .selu(alpha: try bytes.float(), gamma: try bytes.float())
    case .celu: .celu(alpha: try bytes.float())
    case .hardSigmoid: .hardSigmoid(alpha: try bytes.float(), beta: try bytes.float())
    case .hardSwish: .hardSwish
    case .gelu: .gelu(tanhApproximation: try geluForm())
    case .sine: .sine
    case .cosine: .cosine
    case .tangent: .tangent
    case .arcsine: .arcsine
    case .arccosine: .arccosine
    case .arctangent: .arctangent
    case .hyperbolicSine: .hyperbolicSine
    case .hyperbolicCosine: .hyperbolicCosine
    case .inverseHyperbolicSine: .inverseHyperbolicSine
    case .inverseHyperbolicCosine: .inverseHyperbolicCosine
    case .inverseHyperbolicTangent: .inverseHyperbolicTangent
    }
  }

  /// The number 1 for the approximation by tanh, 0 for the exact form.
  private mutating func geluForm() throws(FormatError) -> Bool {
    let start = bytes.offset
    let form: UInt32 = try bytes.fixed()
    if form == Float(1).bitPattern { return true }
    if form == 0 { return false }
    throw bytes.failure(.unknownCode(.flag, value: UInt8(truncatingIfNeeded: form)), at: start)
  }
}
