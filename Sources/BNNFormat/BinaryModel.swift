import BNNTensor

/// A network as a `.bnn` file holds it: values, and the layers that make them in order.
///
/// Values are row-major with the channels last; a first dimension may be the batch.
public struct BinaryModel: Hashable, Sendable {
  /// Where the model came from and how it was made.
  public var provenance: Provenance
  public var values: [ModelValue]
  /// Indices into `values`.
  public var inputs: [Int]
  public var outputs: [Int]
  /// In an order in which they can run.
  public var layers: [Layer]

  public init(
    provenance: Provenance, values: [ModelValue], inputs: [Int], outputs: [Int], layers: [Layer]
  ) {
    self.provenance = provenance
    self.values = values
    self.inputs = inputs
    self.outputs = outputs
    self.layers = layers
  }
}

/// What the file records about its making.
public struct Provenance: Hashable, Sendable {
  /// The tool and its version.
  public var producer: String
  /// The source's file name without its folder, and its size.
  public var sourceName: String
  public var sourceBytes: UInt64
  /// The passes that ran, in order.
  public var passes: [String]
  /// Options that change the result, sorted by key, each key once.
  public var options: [Option]

  public struct Option: Hashable, Sendable {
    public var key: String
    public var value: String
    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  public init(
    producer: String, sourceName: String, sourceBytes: UInt64, passes: [String], options: [Option]
  ) {
    self.producer = producer
    self.sourceName = sourceName
    self.sourceBytes = sourceBytes
    self.passes = passes
    self.options = options
  }
}

/// One value: its name, element type and extents (physical order: channels last).
public struct ModelValue: Hashable, Sendable {
  public var name: String
  public var elementType: ElementType
  public var dimensions: [Dimension]

  public init(name: String, elementType: ElementType, dimensions: [Dimension]) {
    self.name = name
    self.elementType = elementType
    self.dimensions = dimensions
  }
}

/// One step of a model.
public struct Layer: Hashable, Sendable {
  /// The source's name of the node at the layer's core.
  public var name: String
  public var operation: Operation
  /// Indices into the model's values: first the operation's own inputs, then the epilogue's
  /// operands.
  public var inputs: [Int]
  public var outputs: [Int]

  public init(name: String, operation: Operation, inputs: [Int], outputs: [Int]) {
    self.name = name
    self.operation = operation
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// The weights of a convolution or a matrix product, [O, kernel…, C / groups].
public enum Weights: Hashable, Sendable {
  case signs(PackedTensor)
  case float32([Float], shape: Shape)

  public var shape: Shape {
    switch self {
    case .signs(let packed): packed.shape
    case .float32(_, let shape): shape
    }
  }
}

/// What a layer computes. Spatial values are [N, spatial…, C].
public enum Operation: Hashable, Sendable {
  /// ±1 input bits, ±1 weights: the accumulator is an exact integer. One input.
  case binaryConvolution(ConvolutionGeometry, weights: PackedTensor, Epilogue)
  /// Real-valued input; real or ±1 weights; zero padding. One input. The bias is a step.
  case convolution(ConvolutionGeometry, weights: Weights, Epilogue)
  /// A convolution of real values in integers: the input becomes bytes, products with weights of one
  /// byte are added exactly, and each sum is multiplied with its output's factor. One input.
  case quantizedConvolution(
    ConvolutionGeometry, weights: QuantizedWeights, input: InputQuantization, Epilogue)
  /// One input of real values.
  case pool(PoolKind, WindowGeometry, ceiling: Bool, Epilogue)
  /// One input of bits: OR over the window; AND in the channels where `inverted` (one entry per
  /// channel, or one for all). Padding is not counted.
  case binaryPool(WindowGeometry, ceiling: Bool, inverted: [Bool])
  /// The epilogue of nothing: one input of real values.
  case pointwise(Epilogue)
  /// Joins values of one element type along an axis.
  case concatenate(axis: Int)
  /// The same elements in the same order under the output's dimensions. Bits and real values.
  case reshape
  /// Output axis i is input axis `permutation[i]`.
  case transpose(permutation: [Int])
  /// Softmax or its logarithm along an axis.
  case softmax(axis: Int, logarithm: Bool)
  /// Reduces axes, which stay with extent 1 where `keepDimensions`.
  case reduce(ReduceFunction, axes: [Int], keepDimensions: Bool)
  /// Signs as real values +1 and −1.
  case unpack
  /// The products of two values of signs with the same dimensions, element by element.
  case signProduct
  /// An operation on arrays of any of their types, in the source's order of axes.
  case array(ArrayOperation)
}

public enum PoolKind: Hashable, Sendable {
  case maximum
  /// Padding counts in the divisor where `countPadding`.
  case average(countPadding: Bool)
}
