import BNNFormat
import BNNTensor

/// What follows from a layer's operation and its inputs: types and shapes of all its values.
///
/// The walls behind which steps may trust their buffers.
struct LayerContract {
  var ownInputTypes: [ElementType]
  var operandCount = 0
  private let inputCount: Int
  var outputTypes: [ElementType]
  /// The shape of every output.
  var shape: Shape

  typealias Fault = RuntimeError.LayerFault

  /// - Parameters:
  ///   - inputs: of the layer, operands of its epilogue included.
  ///   - declared: the first output's declared shape, which a reshape follows.
  init(_ layer: Layer, inputs: [Buffer], declared: Shape) throws(Fault) {
    guard let first = inputs.first else { throw .inputCount(expected: 1, found: 0) }
    inputCount = inputs.count
    ownInputTypes = [first.type]
    outputTypes = [first.type]
    shape = first.shape
    switch layer.operation {
    case .binaryConvolution(let geometry, let weights, let epilogue):
      ownInputTypes = [.sign]
      shape = try Self.convolution(geometry, weights: weights.shape, input: first.shape)
      try use(epilogue, hasAccumulator: true)
    case .convolution(let geometry, let weights, let epilogue):
      ownInputTypes = [.float32]
      guard geometry.padding == .zero else { throw .geometry(geometry.window) }
      if case .float32(let values, let shape) = weights, shape.checkedCount != values.count {
        throw .weightShape(shape)
      }
      shape = try Self.convolution(geometry, weights: weights.shape, input: first.shape)
      try use(epilogue)
    case .quantizedConvolution(let geometry, let weights, let input, let epilogue):
      ownInputTypes = [.float32]
      guard geometry.padding == .zero else { throw .geometry(geometry.window) }
      do {
        try weights.check(input)
      } catch {
        throw .rule(error)
      }
      shape = try Self.convolution(geometry, weights: weights.shape, input: first.shape)
      try use(epilogue)
    case .pool(_, let window, let ceiling, let epilogue):
      ownInputTypes = [.float32]
      shape = try Self.pool(window, ceiling: ceiling, input: first.shape)
      try use(epilogue)
    case .binaryPool(let window, let ceiling, _):
      ownInputTypes = [.sign]
      shape = try Self.pool(window, ceiling: ceiling, input: first.shape)
    case .pointwise(let epilogue):
      ownInputTypes = [.float32]
      try use(epilogue)
    case .concatenate(let axis):
      ownInputTypes = inputs.map { _ in first.type }
      shape = try Self.concatenation(inputs.map(\.shape), axis: axis)
    case .reshape:
      shape = declared
      guard declared.checkedCount == first.count else {
        throw .outputShape(expected: first.shape, declared: declared)
      }
    case .transpose(let permutation):
      guard permutation.sorted() == Array(0..<first.shape.rank) else { throw .axes(permutation) }
      shape = Shape(permutation.map { first.shape[$0] })
    case .softmax(let axis, _):
      ownInputTypes = [.float32]
      outputTypes = [.float32]
      guard (0..<first.shape.rank).contains(axis) else { throw .axes([axis]) }
    case .reduce(let function, let axes, let keepDimensions):
      if !function.allowsIntegers || !first.type.isArrayNumber { ownInputTypes = [.float32] }
      outputTypes = ownInputTypes
      shape = try Self.reduced(axes, keepDimensions: keepDimensions, input: first.shape)
    case .unpack:
      ownInputTypes = [.sign]
      outputTypes = [.float32]
    case .signProduct:
      ownInputTypes = [.sign, .sign]
      outputTypes = [.sign]
      guard inputs.count == 2, inputs[1].shape == shape else {
        throw .inputShape(index: 1, found: inputs.last?.shape ?? shape)
      }
    // Checked by the rules of the file.
    case .array: break
    }
  }

  private mutating func use(_ epilogue: Epilogue, hasAccumulator: Bool = false) throws(Fault) {
    for step in epilogue.steps {
      switch step {
      case .add(let index), .multiply(let index):
        guard (0..<inputCount).contains(index) else { throw .badValueIndex(index) }
      default: break
      }
    }
    operandCount = epilogue.operandCount
    outputTypes = epilogue.outputTypes
    if case .accumulatorBits = epilogue.output, !hasAccumulator || !epilogue.steps.isEmpty {
      throw .accumulatorThresholds
    }
  }

  private static func convolution(
    _ geometry: ConvolutionGeometry, weights: Shape, input: Shape
  ) throws(Fault) -> Shape {
    let plan = try WindowPlan(geometry.window, input: input)
    let rank = geometry.window.spatialRank
    let groups = geometry.groups
    guard weights.checkedCount != nil, weights.rank == rank + 2,
      Array(weights.dimensions[1..<(rank + 1)]) == geometry.window.kernel
    else { throw .weightShape(weights) }
    let channels = input[input.rank - 1]
    guard groups >= 1, weights[0] % groups == 0, channels % groups == 0 else {
      throw .groups(groups)
    }
    guard weights[rank + 1] == channels / groups else { throw .weightShape(weights) }
    return Shape(plan.outputPrefix + [weights[0]])
  }

  private static func pool(
    _ window: WindowGeometry, ceiling: Bool, input: Shape
  ) throws(Fault) -> Shape {
    let plan = try WindowPlan(window, input: input, ceiling: ceiling)
    return Shape(plan.outputPrefix + [input[input.rank - 1]])
  }

  private static func concatenation(_ shapes: [Shape], axis: Int) throws(Fault) -> Shape {
    var result = shapes[0]
    guard (0..<result.rank).contains(axis) else { throw .axes([axis]) }
    for (index, shape) in shapes.enumerated().dropFirst() {
      guard shape.rank == result.rank,
        (0..<shape.rank).allSatisfy({ $0 == axis || shape[$0] == result[$0] })
      else { throw .inputShape(index: index, found: shape) }
      let (sum, overflow) = result[axis].addingReportingOverflow(shape[axis])
      guard !overflow else { throw .inputShape(index: index, found: shape) }
      result.dimensions[axis] = sum
    }
    return result
  }

  private static func reduced(
    _ axes: [Int], keepDimensions: Bool, input: Shape
  ) throws(Fault) -> Shape {
    guard Set(axes).count == axes.count, axes.allSatisfy((0..<input.rank).contains) else {
      throw .axes(axes)
    }
    let extents = (0..<input.rank).compactMap { axis in
      axes.contains(axis) ? (keepDimensions ? 1 : nil) : input[axis]
    }
    return Shape(extents)
  }
}
