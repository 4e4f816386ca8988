import BNNTensor

private enum OperationCode: UInt8 {
  case binaryConvolution = 1, convolution, pool, binaryPool, pointwise, concatenate, reshape
  case transpose = 8, softmax = 10, reduce, unpack, signProduct
  case quantizedConvolution = 32
}

// MARK: Writing

extension RecordWriter {
  mutating func operation(_ operation: Operation) {
    switch operation {
    case .binaryConvolution(let geometry, let weights, let epilogue):
      bytes.byte(OperationCode.binaryConvolution.rawValue)
      convolution(geometry, .signs(weights), epilogue)
    case .convolution(let geometry, let weights, let epilogue):
      bytes.byte(OperationCode.convolution.rawValue)
      convolution(geometry, weights, epilogue)
    case .quantizedConvolution(let geometry, let weights, let input, let epilogue):
      bytes.byte(OperationCode.quantizedConvolution.rawValue)
      convolution(geometry)
      bytes.integer(pool.bytes(weights.elements, dimensions: weights.shape.dimensions))
      list(weights.scales)
      bytes.float(input.scale)
      bytes.byte(input.zero)
      self.epilogue(epilogue)
    case .pool(let kind, let window, let ceiling, let epilogue):
      bytes.byte(OperationCode.pool.rawValue)
      bytes.byte(kind.code)
      self.window(window)
      bytes.flag(ceiling)
      self.epilogue(epilogue)
    case .binaryPool(let window, let ceiling, let inverted):
      bytes.byte(OperationCode.binaryPool.rawValue)
      self.window(window)
      bytes.flag(ceiling)
      list(inverted)
    case .pointwise(let epilogue):
      bytes.byte(OperationCode.pointwise.rawValue)
      self.epilogue(epilogue)
    case .concatenate(let axis):
      bytes.byte(OperationCode.concatenate.rawValue)
      bytes.integer(axis)
    case .reshape: bytes.byte(OperationCode.reshape.rawValue)
    case .transpose(let permutation):
      bytes.byte(OperationCode.transpose.rawValue)
      bytes.integers(permutation)
    case .softmax(let axis, let logarithm):
      bytes.byte(OperationCode.softmax.rawValue)
      bytes.integer(axis)
      bytes.flag(logarithm)
    case .reduce(let kind, let axes, let keepDimensions):
      bytes.byte(OperationCode.reduce.rawValue)
      bytes.byte(kind.code)
      bytes.integers(axes)
      bytes.flag(keepDimensions)
    case .unpack: bytes.byte(OperationCode.unpack.rawValue)
    case .signProduct: bytes.byte(OperationCode.signProduct.rawValue)
    case .array(let operation): array(operation)
    }
  }

  private mutating func convolution(
    _ geometry: ConvolutionGeometry, _ weights: Weights, _ epilogue: Epilogue
  ) {
    convolution(geometry)
    bytes.integer(pool.weights(weights))
    self.epilogue(epilogue)
  }

  private mutating func convolution(_ geometry: ConvolutionGeometry) {
    window(geometry.window)
    bytes.integer(geometry.groups)
    bytes.byte(geometry.padding.code)
  }

  mutating func window(_ window: WindowGeometry) {
    bytes.integer(window.spatialRank)
    for axis in 0..<window.spatialRank {
      bytes.integer(window.kernel[axis])
      bytes.integer(window.strides[axis])
      bytes.integer(window.dilations[axis])
      bytes.integer(window.padsBegin[axis])
      bytes.integer(window.padsEnd[axis])
    }
  }
}

// MARK: Reading

extension RecordReader {
  mutating func operation() throws(FormatError) -> Operation {
    switch try bytes.code(.operation, AnyOperationCode.init(code:)) {
    case .array(let code): return .array(try array(code))
    case .other(let code): return try operation(code)
    }
  }

  private mutating func operation(_ code: OperationCode) throws(FormatError) -> Operation {
    switch code {
    case .binaryConvolution: return try binaryConvolution()
    case .convolution:
      let geometry = try geometry()
      return .convolution(geometry, weights: try store.weights(&bytes), try epilogue())
    case .pool:
      let kind = try bytes.code(.poolKind, PoolKind.init(code:))
      return .pool(kind, try window(), ceiling: try bytes.flag(), try epilogue())
    case .binaryPool:
      return .binaryPool(try window(), ceiling: try bytes.flag(), inverted: try bits())
    case .pointwise: return .pointwise(try epilogue())
    case .concatenate: return .concatenate(axis: try bytes.integer())
    case .reshape: return .reshape
    case .transpose: return .transpose(permutation: try bytes.integers())
    case .softmax: return .softmax(axis: try bytes.integer(), logarithm: try bytes.flag())
    case .reduce:
      let kind = try bytes.code(.reduceKind, ReduceFunction.init(code:))
      return .reduce(kind, axes: try bytes.integers(), keepDimensions: try bytes.flag())
    case .unpack: return .unpack
    case .signProduct: return .signProduct
    case .quantizedConvolution:
      let geometry = try geometry()
      let (elements, shape) = try store.bytes(&bytes)
      let weights = QuantizedWeights(elements: elements, shape: shape, scales: try floats())
      let input = InputQuantization(scale: try bytes.float(), zero: try bytes.byte())
      return .quantizedConvolution(geometry, weights: weights, input: input, try epilogue())
    }
  }

  private mutating func binaryConvolution() throws(FormatError) -> Operation {
    let geometry = try geometry()
    let start = bytes.offset
    guard case .signs(let weights) = try store.weights(&bytes) else {
      throw bytes.failure(.tensorKind(expected: .sign, found: .float32), at: start)
    }
    return .binaryConvolution(geometry, weights: weights, try epilogue())
  }

  private mutating func geometry() throws(FormatError) -> ConvolutionGeometry {
    ConvolutionGeometry(
      window: try window(), groups: try bytes.integer(),
      padding: try bytes.code(.padding, ConvolutionGeometry.PaddingValue.init(code:)))
  }

  mutating func window() throws(FormatError) -> WindowGeometry {
    let rank = try bytes.count(ofAtLeast: 5)
    var lists = [[Int]](repeating: [], count: 5)
    for _ in 0..<rank {
      for index in lists.indices { lists[index].append(try bytes.integer()) }
    }
    return WindowGeometry(
      kernel: lists[0], strides: lists[1], dilations: lists[2], padsBegin: lists[3],
      padsEnd: lists[4])
  }
}

// MARK: Codes

private enum AnyOperationCode {
  case array(ArrayOperationCode)
  case other(OperationCode)

  init?(code: UInt8) {
    if let code = ArrayOperationCode(rawValue: code) {
      self = .array(code)
    } else if let code = OperationCode(rawValue: code) {
      self = .other(code)
    } else {
      return nil
    }
  }
}

extension ReduceFunction {
  fileprivate var code: UInt8 {
    switch self {
    case .mean: 0
    case .sum: 1
    case .maximum: 2
    case .minimum: 3
    case .product: 4
    case .l1: 5
    case .l2: 6
    case .sumSquare: 7
    case .logSum: 8
    case .logSumExp: 9
    }
  }

  fileprivate init?(code: UInt8) {
    guard let value = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = value
  }
}

extension ConvolutionGeometry.PaddingValue {
  fileprivate var code: UInt8 {
    switch self {
    case .zero: 0
    case .plusOne: 1
    case .minusOne: 2
    }
  }

  fileprivate init?(code: UInt8) {
    guard let value = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = value
  }
}

extension PoolKind {
  fileprivate var code: UInt8 {
    switch self {
    case .maximum: 0
    case .average(let countPadding): countPadding ? 2 : 1
    }
  }

  fileprivate init?(code: UInt8) {
    switch code {
    case 0: self = .maximum
    case 1: self = .average(countPadding: false)
    case 2: self = .average(countPadding: true)
    default: return nil
    }
  }
}
