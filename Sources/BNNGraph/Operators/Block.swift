import BNNTensor

/// A fused step: a core, then an epilogue. Inputs: those of the core, then the epilogue's
/// operands. Outputs: as `Epilogue.outputTypes`, bits as ±1 float32.
public struct Block: Operator, Hashable {
  public var core: Core
  public var epilogue: Epilogue

  public enum Core: Hashable, Sendable {
    /// Input: x of ±1, weights as bits.
    case binaryConvolution(ConvolutionGeometry)
    /// Input: x, weights (float32 or bits).
    case convolution(ConvolutionGeometry)
    case pool(Pool)
    /// Input: x.
    case pointwise
  }

  public init(core: Core, epilogue: Epilogue) {
    self.core = core
    self.epilogue = epilogue
  }

  public var name: String { "Block" }
}

extension Block {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let type = try coreOperator.inferTypes(Array(inputs.prefix(core.inputCount)))[0]
    guard type.elementType == .float32 else {
      throw .wrongElementType(input: 0, found: type.elementType)
    }
    let operands = Array(inputs.dropFirst(core.inputCount))
    for step in epilogue.steps {
      try step.check(shape: type.shape, operands: operands, firstInput: core.inputCount)
    }
    let layout = ChannelLayout(type.shape)
    switch epilogue.output {
    case .values: break
    case .bits(let thresholds), .valuesAndBits(let thresholds): try thresholds.check(fit: layout)
    case .accumulatorBits(let thresholds):
      try thresholds.check(fit: layout)
      guard case .binaryConvolution = core, epilogue.steps.isEmpty else {
        throw .invalidAttribute(
          name: "output", value: "accumulatorBits",
          expected: "a binary convolution without steps")
      }
    }
    return epilogue.outputTypes.map { _ in type }
  }

  /// The core's result goes through the steps in order, each operation rounded to float32; the
  /// bits test what comes out, or the accumulator, which is an exact integer.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let result = try coreOperator.evaluate(Array(inputs.prefix(core.inputCount)))[0]
    let shape = result.shape
    var values = result.floats
    let operands = Array(inputs.dropFirst(core.inputCount))
    for step in epilogue.steps { step.apply(to: &values, shape: shape, operands: operands) }
    switch epilogue.output {
    case .values: return [Tensor(values, shape: shape)]
    case .bits(let thresholds):
      return [Tensor(thresholds.signs(of: values, shape: shape), shape: shape)]
    case .valuesAndBits(let thresholds):
      return [
        Tensor(values, shape: shape),
        Tensor(thresholds.signs(of: values, shape: shape), shape: shape),
      ]
    case .accumulatorBits(let thresholds):
      let sums = values.map { Int32(clamping: Int64(saturating: Double($0))) }
      return [Tensor(thresholds.signs(of: sums, shape: shape), shape: shape)]
    }
  }

  /// The core as an operator of its own.
  private var coreOperator: any Operator {
    switch core {
    case .binaryConvolution(let geometry): BinaryConvolution(geometry: geometry)
    case .convolution(let geometry): Convolution(geometry: geometry)
    case .pool(let pool): pool
    case .pointwise: Identity()
    }
  }
}

extension Block.Core {
  /// How many of the block's inputs are the core's; the epilogue's operands follow.
  public var inputCount: Int {
    switch self {
    case .binaryConvolution, .convolution: 2
    case .pool, .pointwise: 1
    }
  }
}
