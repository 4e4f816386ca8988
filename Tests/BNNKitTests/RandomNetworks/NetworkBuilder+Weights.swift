import BNNKit

/// Weights in their spellings.
extension NetworkBuilder {
  struct Weights {
    var id: ValueID
    /// The largest sum of magnitudes of an output's weights, and their fraction bits.
    var bound: Float
    var grid: Int
    /// As how many products with signs a product with them is written, at least.
    var terms = 1
  }

  /// - Parameter shape: [O, …].
  mutating func weights(_ form: WeightForm, _ shape: Shape) -> Weights {
    let each = Float(shape.count / max(shape[0], 1))
    switch form {
    case .signs, .scaledPerLayer, .scaledPerChannel, .zeroChannel, .repeatedKernels, .twoValues,
      .zeroAndOne, .twoValuesPerChannel, .singleZeros:
      let elements = elements(form, shape)
      var weights = Weights(
        id: constant(elements, shape), bound: elements.largest * each, grid: elements.grid)
      let isPair = form == .twoValues || form == .twoValuesPerChannel
      if isPair, Set(elements).count > 1 { weights.terms = 2 }
      return weights
    case .bytes:
      let bytes = signs(shape.count).map { Int64($0) }
      return Weights(
        id: cast(constant(Tensor(bytes, shape: shape, elementType: .int8))), bound: each, grid: 0)
    case .bools:
      let bools = signs(shape.count).map { $0 > 0 }
      let mask = cast(constant(Tensor(bools, shape: shape)))
      let id = binary(.subtract, binary(.multiply, mask, scalar(2)), scalar(1))
      return Weights(id: id, bound: each, grid: 0)
    default: return latentWeights(form, shape)
    }
  }

  private mutating func signs(_ count: Int) -> [Float] { list(count, of: [-1, 1]) }

  private mutating func elements(_ form: WeightForm, _ shape: Shape) -> [Float] {
    let each = shape.count / max(shape[0], 1)
    var elements = signs(shape.count)
    func scale(_ factors: [Float]) {
      for index in elements.indices { elements[index] *= factors[index / each] }
    }
    switch form {
    case .scaledPerLayer: scale(.init(repeating: pick([0.25, 0.5, 2]), count: shape[0]))
    case .scaledPerChannel: scale(list(shape[0], of: [0.25, 0.5, 1, 2]))
    case .zeroChannel: scale(list(shape[0], of: [0, 0.5, 1]))
    case .repeatedKernels:
      let taps = shape.dimensions.dropFirst(2).reduce(1, *)
      for index in elements.indices { elements[index] = elements[index % (2 * taps)] }
    case .twoValues, .zeroAndOne:
      let (low, high) = form == .zeroAndOne ? (0, 1) : pick([(-0.5, 1), (0, 0.5), (0.5, 2)])
      elements = elements.map { $0 > 0 ? Float(high) : Float(low) }
    case .twoValuesPerChannel where each >= 8:
      let low = list(shape[0], of: [-1, -0.5, 0, 0.5])
      elements = elements.enumerated().map { $1 > 0 ? 1 : low[$0 / each] }
    case .singleZeros:
      for _ in 0..<pick([1, 2, 5]) { elements[numbers.nextIndex(elements.count)] = 0 }
    default: break
    }
    return elements
  }

  /// Weights that the graph computes from latent ones.
  private mutating func latentWeights(_ form: WeightForm, _ shape: Shape) -> Weights {
    let each = shape.count / max(shape[0], 1)
    let latent = list(shape.count, of: [-1, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1])
    let scaleShape = Shape([shape[0]] + shape.dimensions.dropFirst().map { _ in 1 })
    let w = constant(latent, shape)
    var weights = Weights(id: w, bound: Float(each), grid: 0)
    switch form {
    case .scaledSignOfLatent:
      let scales = list(shape[0], of: [0.25, 0.5, 1])
      weights.id = binary(.multiply, unary(.sign, w), constant(scales, scaleShape))
      weights.grid = 2
    case .meanMagnitude:
      // Not divided by the number of weights, so that it is dyadic.
      let axes = integers(Array(1..<shape.rank))
      let sum = node(.reduce(Reduce(kind: .sum)), unary(.absolute, w), axes)
      weights.id = binary(.multiply, unary(.sign, w), binary(.multiply, sum, scalar(1 / 64)))
      weights.bound *= Float(each) / 64
      weights.grid = 8
    case .comparison:
      weights.id = choose(
        compare(.greaterOrEqual, w, scalar(0)),
        constant(.init(repeating: 1, count: shape.count), shape),
        scalar(-1))
    case .castComparison:
      let mask = cast(compare(.greater, w, scalar(0)))
      weights.id = binary(.subtract, binary(.multiply, mask, scalar(2)), scalar(1))
    case .estimator:
      let scaled = binary(
        .multiply, constant(list(shape[0], of: [0.5, 1]), scaleShape), unary(.sign, w))
      let e = node(.clip(Clip()), w, scalar(-1), scalar(1))
      weights.id = binary(.add, binary(.subtract, scaled, e), e)
      weights.grid = 1
    case .doubleLatent:
      let wide = constant(Tensor(latent.map { Double($0) }, shape: shape))
      weights.id = cast(unary(.sign, wide))
    case .halfLatent:
      weights.id = unary(.sign, cast(constant(Tensor(latent, shape: shape, elementType: .float16))))
    case .flat:
      let column = constant(latent, [shape.count, 1])
      weights.id = unary(.sign, reshape(column, shape.dimensions))
    case .permuted:
      let last = Shape(shape.dimensions.dropFirst() + [shape[0]])
      let order = [shape.rank - 1] + Array(0..<shape.rank - 1)
      let moved = node(
        .transpose(Transpose(permutation: order)), constant(latent, last))
      weights.id = unary(.sign, moved)
    default: weights.id = unary(.sign, w)
    }
    return weights
  }
}
