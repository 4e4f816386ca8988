import BNNFormat
import BNNTensor

/// What the file stores for a layer against what the canonical graph says it should store.
struct StoredComparison {
  var compared = 0
  var mismatches = 0
  /// The layers do not even have the same operation, operands and shapes.
  var isStructural = false

  init(_ index: Int, of model: BinaryModel, against expected: BinaryModel) {
    guard index < expected.layers.count, index < model.layers.count else {
      self = .structural
      return
    }
    let (a, b) = (model.layers[index], expected.layers[index])
    let types = { (model: BinaryModel, layer: Layer) in
      (layer.inputs + layer.outputs).map { value in model.values[value].type }
    }
    guard a.inputs == b.inputs, a.outputs == b.outputs, types(model, a) == types(expected, b),
      a.operation.skeleton == b.operation.skeleton
    else {
      self = .structural
      return
    }
    if let x = a.operation.weights, let y = b.operation.weights { compare(x, y) }
    if let x = a.operation.constant, let y = b.operation.constant { compare(x, y) }
    for (x, y) in zip(a.operation.lists, b.operation.lists) { compare(x, y) }
  }

  private init() {}

  private static var structural: StoredComparison {
    var result = StoredComparison()
    (result.compared, result.mismatches, result.isStructural) = (1, 1, true)
    return result
  }

  private mutating func compare(_ a: Weights, _ b: Weights) {
    switch (a, b) {
    case (.signs(let x), .signs(let y)):
      compared += x.count
      mismatches += differences(x.bytes, y.bytes)
    case (.float32(let x, _), .float32(let y, _)):
      compare(x.map(\.bitPattern), y.map(\.bitPattern))
    case (.signs, .float32), (.float32, .signs):
      mismatches += 1
    }
  }

  private mutating func compare(_ a: Tensor, _ b: Tensor) {
    guard a.elementType != .float32 else {
      return compare(a.floats.map(\.bitPattern), b.floats.map(\.bitPattern))
    }
    compared += a.count
    mismatches += zip(a.integers, b.integers).count { $0 != $1 }
  }

  private mutating func compare(_ a: [UInt32], _ b: [UInt32]) {
    compared += a.count
    mismatches += zip(a, b).count { $0 != $1 }
  }
}

extension Operation {
  var weights: Weights? {
    switch self {
    case .binaryConvolution(_, let weights, _): .signs(weights)
    case .convolution(_, let weights, _): weights
    default: nil
    }
  }

  fileprivate var constant: Tensor? {
    if case .array(.constant(let tensor)) = self { tensor } else { nil }
  }

  /// The numbers of all lists of parameters, bit by bit.
  fileprivate var lists: [[UInt32]] {
    switch self {
    case .binaryPool(_, _, let inverted): [inverted.map { $0 ? 1 : 0 }]
    case .quantizedConvolution(_, let weights, let input, let epilogue):
      [
        weights.elements.map { UInt32(UInt8(bitPattern: $0)) }, weights.scales.map(\.bitPattern),
        [input.scale.bitPattern, UInt32(input.zero)],
      ] + epilogue.lists
    default: epilogue.map(\.lists) ?? []
    }
  }

  /// The operation with every number that ``weights``, ``constant`` and ``lists`` give made the same.
  fileprivate var skeleton: Operation {
    switch self {
    case .binaryConvolution(let geometry, let weights, let epilogue):
      .binaryConvolution(
        geometry, weights: PackedTensor(shape: weights.shape) { _ in false }, epilogue.skeleton)
    case .convolution(let geometry, let weights, let epilogue):
      .convolution(geometry, weights: weights.skeleton, epilogue.skeleton)
    case .quantizedConvolution(let geometry, let weights, _, let epilogue):
      .quantizedConvolution(
        geometry, weights: weights.skeleton, input: InputQuantization(scale: 0, zero: 0),
        epilogue.skeleton)
    case .pool(let kind, let window, let ceiling, let epilogue):
      .pool(kind, window, ceiling: ceiling, epilogue.skeleton)
    case .binaryPool(let window, let ceiling, let inverted):
      .binaryPool(window, ceiling: ceiling, inverted: inverted.map { _ in false })
    case .pointwise(let epilogue): .pointwise(epilogue.skeleton)
    case .array(.constant(let tensor)):
      .array(.constant(Tensor([Bool](repeating: false, count: tensor.count), shape: tensor.shape)))
    case .concatenate, .reshape, .transpose, .softmax, .reduce, .unpack, .signProduct, .array:
      self
    }
  }
}

extension Weights {
  fileprivate var skeleton: Weights {
    switch self {
    case .signs(let packed): .signs(PackedTensor(shape: packed.shape) { _ in false })
    case .float32(let elements, let shape):
      .float32([Float](repeating: 0, count: elements.count), shape: shape)
    }
  }
}

extension QuantizedWeights {
  fileprivate var skeleton: QuantizedWeights {
    QuantizedWeights(
      elements: elements.map { _ in 0 }, shape: shape, scales: scales.map { _ in 0 })
  }
}

extension Epilogue {
  fileprivate var lists: [[UInt32]] {
    var lists: [[UInt32]] = []
    for step in steps {
      switch step {
      case .affine(let a, let b), .slopes(let a, let b):
        lists += [a.map(\.bitPattern), b.map(\.bitPattern)]
      case .clamp, .function, .add, .multiply: break
      }
    }
    switch output {
    case .values: break
    case .bits(let thresholds), .valuesAndBits(let thresholds):
      lists += [thresholds.lower.map(\.bitPattern), thresholds.upper.map(\.bitPattern)]
      lists.append(thresholds.insideIsPlus.map { $0 ? 1 : 0 })
    case .accumulatorBits(let thresholds):
      lists += [thresholds.lower, thresholds.upper].map { $0.map(UInt32.init(bitPattern:)) }
      lists.append(thresholds.insideIsPlus.map { $0 ? 1 : 0 })
    }
    return lists
  }

  fileprivate var skeleton: Epilogue {
    let blank = { (list: [Float]) in [Float](repeating: 0, count: list.count) }
    let steps = steps.map { step -> PointwiseStep in
      switch step {
      case .affine(let a, let b): .affine(scale: blank(a), bias: blank(b))
      case .slopes(let a, let b): .slopes(positive: blank(a), negative: blank(b))
      case .clamp, .function, .add, .multiply: step
      }
    }
    let output: Output =
      switch output {
      case .values: .values
      case .bits(let thresholds): .bits(thresholds.skeleton)
      case .valuesAndBits(let thresholds): .valuesAndBits(thresholds.skeleton)
      case .accumulatorBits(let thresholds): .accumulatorBits(thresholds.skeleton)
      }
    return Epilogue(steps: steps, output: output)
  }
}

extension Thresholds where Bound: ExpressibleByIntegerLiteral {
  fileprivate var skeleton: Thresholds {
    Thresholds(
      lower: lower.map { _ in 0 }, upper: upper.map { _ in 0 },
      insideIsPlus: insideIsPlus.map { _ in false })
  }
}
