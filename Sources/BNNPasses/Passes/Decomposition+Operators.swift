import BNNGraph
import BNNTensor

/// Products, sums and normalizations.
extension Decomposition {
  /// alpha · (A · B) + beta · C
  mutating func product(_ gemm: Gemm) throws(GraphError) -> ValueID? {
    guard var a = node.input(0), var b = node.input(1) else { return nil }
    let swap = Op.transpose(Transpose(permutation: [1, 0]))
    if gemm.transposeA { a = try add(swap, a) }
    if gemm.transposeB { b = try add(swap, b) }
    var result = try add(.matMul(MatMul()), a, b)
    let type = elementType(node.outputs[0])
    graph[result].type = ValueType(type, outputDimensions)
    if gemm.alpha != 1 {
      result = try add(.multiply, scalar(gemm.alpha, like: result), result)
    }
    guard var c = node.input(2), gemm.beta != 0 else { return result }
    if gemm.beta != 1 { c = try add(.multiply, scalar(gemm.beta, like: c), c) }
    return try add(.add, result, c)
  }

  /// A vector is a row on the left and a column on the right.
  mutating func productOfVectors() throws(GraphError) -> ValueID? {
    guard var a = node.input(0), var b = node.input(1) else { return nil }
    let (left, right) = (dimensions(a), dimensions(b))
    guard left.count == 1 || right.count == 1 else { return nil }
    if left.count == 1 {
      guard let row = try reshape(a, to: [.fixed(1)] + left) else { return nil }
      a = row
    }
    if right.count == 1 {
      guard let column = try reshape(b, to: right + [.fixed(1)]) else { return nil }
      b = column
    }
    let product = try add(.matMul(MatMul()), a, b)
    var full = outputDimensions
    if left.count == 1 { full.insert(.fixed(1), at: full.count - (right.count == 1 ? 0 : 1)) }
    if right.count == 1 { full.append(.fixed(1)) }
    graph[product].type = ValueType(elementType(node.outputs[0]), full)
    return try reshape(product, to: outputDimensions)
  }

  /// a = γ · (1 / √(variance + ε)), b = β − mean · a, y = x · a + b
  mutating func normalized(_ normalization: BatchNormalization) throws(GraphError) -> ValueID? {
    guard let x = node.input(0), let gamma = node.input(1), let beta = node.input(2),
      let mean = node.input(3), let variance = node.input(4)
    else { return nil }
    let root = try add(
      .elementwiseUnary(ElementwiseUnary(function: .squareRoot)),
      try add(.add, variance, scalar(normalization.epsilon, like: x)))
    let inverse = try add(.elementwiseUnary(ElementwiseUnary(function: .reciprocal)), root)
    let factor = try add(.multiply, gamma, inverse)
    let term = try add(.subtract, beta, try add(.multiply, mean, factor))
    let rank = dimensions(x).count
    for value in [factor, term] { graph[value].type = graph[gamma].type }
    guard let a = try perChannel(factor, rank: rank), let b = try perChannel(term, rank: rank)
    else { return nil }
    return try add(.add, try add(.multiply, x, a), b)
  }

  /// The bias is added last.
  mutating func withoutBias(_ op: Op) throws(GraphError) -> ValueID? {
    guard let x = node.input(0), let weights = node.input(1), let bias = node.input(2),
      let added = try perChannel(bias, rank: outputDimensions.count)
    else { return nil }
    return try add(.add, try add(op, x, weights), added)
  }

  /// One number per channel as an operand for values of a rank: [C, 1, …].
  private mutating func perChannel(_ list: ValueID, rank: Int) throws(GraphError) -> ValueID? {
    guard rank > 2 else { return list }
    return try reshape(
      list, to: dimensions(list) + [Dimension](repeating: .fixed(1), count: rank - 2))
  }

  // MARK: Elements

  /// min(max(x, minimum), maximum); a limit that is left out is the largest finite number.
  mutating func clipped() throws(GraphError) -> ValueID? {
    guard let x = node.input(0) else { return nil }
    var result = x
    for (input, kind) in [(1, BinaryFunction.maximum), (2, .minimum)] {
      var limit = node.input(input)
      if limit == nil, elementType(x) == .float32 {
        let largest = Float.greatestFiniteMagnitude
        limit = scalar(kind == .maximum ? -largest : largest, like: x)
      }
      guard let limit else { continue }
      guard let single = try reshape(limit, to: []) else { return nil }
      result = try add(kind, result, single)
    }
    return result == x ? try add(.identity(Identity()), x) : result
  }

  /// x < 0 ? slope · x : x
  mutating func sloped() throws(GraphError) -> ValueID? {
    guard let x = node.input(0), let slope = node.input(1) else { return nil }
    let isNegative = try add(
      .comparison(Comparison(kind: .less)), x, scalar(0, like: x))
    return try add(.select(Where()), isNegative, try add(.multiply, slope, x), x)
  }

  mutating func functionOfIntegers(_ function: PointwiseFunction) throws(GraphError) -> ValueID? {
    guard let x = node.input(0), [.int32, .int64].contains(elementType(x)) else { return nil }
    let zero = scalar(0, like: x)
    switch function {
    case .absolute: return try add(.maximum, x, try add(.subtract, zero, x))
    case .negate: return try add(.subtract, zero, x)
    case .relu: return try add(.maximum, x, zero)
    case .sign:
      return try add(
        .minimum, try add(.maximum, x, scalar(-1, like: x)), scalar(1, like: x))
    default: return nil
    }
  }

  /// A power of two types, with operands of one: the base's, or int64 for integers.
  mutating func power() throws(GraphError) -> ValueID? {
    guard let base = node.input(0), let exponent = node.input(1) else { return nil }
    let (type, other) = (elementType(base), elementType(exponent))
    guard type != other, other.isInteger, type == .float32 || type.isInteger else { return nil }
    if type == .float32 {
      return try add(.power, base, try add(.cast(Cast(to: .float32)), exponent))
    }
    let wide = Op.cast(Cast(to: .int64))
    let result = try add(
      .power, type == .int64 ? base : add(wide, base),
      other == .int64 ? exponent : add(wide, exponent))
    return type == .int64 ? result : try add(.cast(Cast(to: type)), result)
  }

  // MARK: Shapes

  /// The padding's value becomes an operand where it is left out.
  mutating func paddedWithZero() throws(GraphError) -> ValueID? {
    guard case .pad(let pad) = node.op, pad.mode == .constant, node.input(2) == nil,
      let x = node.input(0)
    else { return nil }
    let type = elementType(x)
    let zero =
      type == .bool
      ? graph.addConstant(Tensor([false], shape: []), name: node.name + ".value")
      : scalar(0, like: x)
    return try add(node.op, x, node.input(1), zero, node.input(3))
  }

  /// Each axis that is repeated as two: the repetitions, then the elements.
  mutating func tiled() throws(GraphError) -> ValueID? {
    guard let x = node.input(0), let repeats = graph.constant(node.input(1))?.integers else {
      return nil
    }
    var split: [Dimension] = []
    var extents: [Int64] = []
    for (dimension, count) in zip(dimensions(x), repeats) {
      if count != 1 {
        split.append(.fixed(1))
        extents.append(count)
      }
      split.append(dimension)
      extents.append(1)
    }
    let expanded = zip(split, extents).map { $1 == 1 ? $0 : .fixed(Int($1)) }
    guard let parts = try reshape(x, to: split) else { return nil }
    let shape = graph.addConstant(
      Tensor(extents, shape: [extents.count]), name: node.name + ".shape")
    let all = try add(.expand(Expand()), parts, shape)
    graph[all].type = ValueType(elementType(x), expanded)
    return try reshape(all, to: outputDimensions)
  }

  /// Before opset 13: all axes from `axis` on are one.
  mutating func softmaxOverAxes(_ softmax: Softmax) throws(GraphError) -> ValueID? {
    guard let x = node.input(0) else { return nil }
    let dimensions = dimensions(x)
    let axis = softmax.axis < 0 ? softmax.axis + dimensions.count : softmax.axis
    let inner = dimensions[axis...]
    guard !inner.dropFirst().allSatisfy({ $0 == .fixed(1) }), !inner.contains(where: \.isBatch)
    else { return nil }
    let rows = dimensions[..<axis].reduce(1) { $0 * $1.extent(batch: 1) }
    let columns = inner.reduce(1) { $0 * $1.extent(batch: 1) }
    let isBatch = dimensions[..<axis].contains(where: \.isBatch)
    guard let flat = try reshape(x, to: [isBatch ? .batch(rows) : .fixed(rows), .fixed(columns)])
    else { return nil }
    let single = Softmax(axis: 1, logarithm: softmax.logarithm)
    let result = try add(.softmax(single), flat)
    graph[result].type = graph[flat].type
    return try reshape(result, to: dimensions)
  }
}
