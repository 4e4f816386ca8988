import BNNTensor

/// ONNX `Unsqueeze`. Inputs: x, axes.
public struct Unsqueeze: Operator, Hashable {
  public init() {}

  public var name: String { "Unsqueeze" }
}

extension Unsqueeze {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    let axes = try inputs.integers(1)
    let rank = x.shape.rank + axes.count
    let inserted = try checkedAxes(axes, rank: rank, input: 1)
    var own = x.shape.dimensions[...]
    let extents = (0..<rank).map { inserted.contains($0) ? 1 : own.removeFirst() }
    return [ResultType(x.elementType, Shape(extents))]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    return [try inputs.required(0).withShape(type.shape)]
  }
}
