import BNNFormat
import BNNTensor

/// Why a model cannot run, or not with this input.
public enum RuntimeError: Error, Hashable, Sendable {
  /// An input that the model needs was not given.
  case missingInput(name: String)
  /// A tensor was given under a name that is none of the model's inputs.
  case unknownInput(name: String, expected: [String])
  case wrongType(input: String, expected: ElementType, found: ElementType)
  /// N stands for the batch.
  case wrongShape(input: String, expected: [Dimension], found: Shape)
  /// Inputs with different batch sizes.
  case inconsistentBatch(input: String, expected: Int, found: Int)
  /// The kernels that were asked for are unknown, or this CPU cannot run them.
  case unsupportedKernels(name: String)
  case threads(count: Int)
  /// More memory than a session may use.
  case tooLarge(bytes: Int?, limit: Int)
  /// An operand lists a position that does not exist.
  case indexOutOfRange(layer: String, index: Int, extent: Int)
  /// A fault of a value of the model.
  case invalidValue(name: String, ValueFault)
  /// A fault of a layer of the model.
  case invalidLayer(name: String, LayerFault)

  public enum ValueFault: Hashable, Sendable {
    /// Not float32, int32, int64 or bool, and not bits.
    case unsupportedType(ElementType)
    /// A negative dimension, or too many elements.
    case badDimensions([Dimension])
    /// A layer or a result uses it before any layer makes it.
    case neverMade
    /// Two layers make it, or a layer makes an input.
    case madeTwice
  }

  public enum LayerFault: Error, Hashable, Sendable {
    /// An index of a value that does not exist.
    case badValueIndex(Int)
    case inputCount(expected: Int, found: Int)
    case outputCount(expected: Int, found: Int)
    case inputType(index: Int, expected: ElementType, found: ElementType)
    case outputType(index: Int, expected: ElementType, found: ElementType)
    /// The shape that follows from the inputs is not the declared one.
    case outputShape(expected: Shape, declared: Shape)
    case inputShape(index: Int, found: Shape)
    case weightShape(Shape)
    /// A window, stride, dilation or padding that does not fit the input.
    case geometry(WindowGeometry)
    case groups(Int)
    /// An axis or permutation that is none of the input's.
    case axes([Int])
    /// A rule of the file format that an operation on arrays breaks.
    case rule(FormatError.Rule)
    /// A list that has neither one entry nor one per channel.
    case parameterCount(expected: Int, found: Int)
    /// An operand of the epilogue that does not broadcast to the shape of the result.
    case operandShape(operand: Shape, result: Shape)
    /// Integer thresholds on real values, or after steps.
    case accumulatorThresholds
    /// More taps × channels than an accumulator holds.
    case accumulatorRange(Int)
    case spatialRank(Int)
  }
}
