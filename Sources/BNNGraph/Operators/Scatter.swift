import BNNTensor

extension ScatterReduction {
  /// x with updates: the element at `targets[i]` meets update i, in order.
  func apply(_ x: Tensor, _ updates: Tensor, targets: [Int]) throws(OperatorError) -> Tensor {
    guard self != .none else {
      var sources = Array(0..<x.count)
      for (update, target) in targets.enumerated() { sources[target] = x.count + update }
      let both = Tensor.joined([x, updates], elementType: x.elementType)
      return both.gathering(sources, shape: x.shape)
    }
    let type = x.elementType
    switch x.storage {
    case .double(let elements):
      let result = combine(elements, updates.doubles, targets, floatFunction)
      return Tensor(result, shape: x.shape)
    case .float(let elements):
      let function: (Float, Float) -> Float = floatFunction
      let result = combine(elements, updates.floats, targets) {
        function($0, $1).rounded(to: type)
      }
      return Tensor(result, shape: x.shape, elementType: type)
    case .integer(let elements):
      let function = integerFunction(isUnsigned: type == .uint64)
      let result = combine(elements, updates.integers, targets) {
        function($0, $1).narrowed(to: type)
      }
      return Tensor(result, shape: x.shape, elementType: type)
    case .bool, .sign: throw .wrongElementType(input: 0, found: type)
    }
  }

  private func combine<T>(
    _ x: [T], _ updates: [T], _ targets: [Int], _ function: (T, T) -> T
  ) -> [T] {
    var result = x
    for (target, update) in zip(targets, updates) {
      result[target] = function(result[target], update)
    }
    return result
  }

  private func floatFunction<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> T {
    switch self {
    case .none: b
    case .add: a + b
    case .multiply: a * b
    case .maximum: propagatingMaximum(a, b)
    case .minimum: propagatingMinimum(a, b)
    }
  }

  private func integerFunction(isUnsigned: Bool) -> (Int64, Int64) -> Int64 {
    // The order of unsigned numbers is that of signed ones with the first bit turned.
    let turn: Int64 = isUnsigned ? .min : 0
    return switch self {
    case .none: { $1 }
    case .add: { $0 &+ $1 }
    case .multiply: { $0 &* $1 }
    case .maximum: { max($0 ^ turn, $1 ^ turn) ^ turn }
    case .minimum: { min($0 ^ turn, $1 ^ turn) ^ turn }
    }
  }
}

/// ONNX `ScatterElements`. Inputs: x, indices along the axis, updates (one per index).
public struct ScatterElements: Operator, Hashable {
  public var axis: Int
  public var reduction: ScatterReduction

  public init(axis: Int = 0, reduction: ScatterReduction = .none) {
    self.axis = axis
    self.reduction = reduction
  }

  public var name: String { "ScatterElements" }
}

extension ScatterElements {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    try ElementIndices.check(x.shape, indices, axis: axis)
    let updates = try inputs.operand(2, of: x.elementType)
    guard updates.shape == indices.shape else {
      throw .shapeMismatch(input: 2, expected: "\(indices.shape)", found: updates.shape)
    }
    return [ResultType(x.elementType, x.shape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    let targets = try ElementIndices.positions(in: x.shape, indices, axis: axis)
    return [try reduction.apply(x, inputs.required(2), targets: targets)]
  }
}

/// ONNX `ScatterND`. Inputs: x, indices (the last dimension names positions), updates (a slice for
/// each).
public struct ScatterND: Operator, Hashable {
  public var reduction: ScatterReduction

  public init(reduction: ScatterReduction = .none) {
    self.reduction = reduction
  }

  public var name: String { "ScatterND" }
}

extension ScatterND {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    let depth = try TupleIndices.depth(of: indices, in: x.shape, 0)
    let updates = try inputs.operand(2, of: x.elementType)
    let expected = indices.shape.dimensions.dropLast() + x.shape.dimensions.dropFirst(depth)
    guard updates.shape.dimensions == Array(expected) else {
      throw .shapeMismatch(
        input: 2, expected: "\(Shape(Array(expected)))", found: updates.shape)
    }
    return [ResultType(x.elementType, x.shape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let (x, indices) = (try inputs.required(0), try inputs.required(1))
    let tuples = try TupleIndices(indices, in: x.shape, 0)
    let targets = tuples.starts.flatMap { $0..<$0 + tuples.length }
    return [try reduction.apply(x, inputs.required(2), targets: targets)]
  }
}
