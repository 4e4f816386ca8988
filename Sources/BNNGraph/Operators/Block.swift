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
