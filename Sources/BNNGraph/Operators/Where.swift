import BNNTensor

/// ONNX `Where`: condition, x, y.
public struct Where: Operator, Hashable {
  public init() {}

  public var name: String { "Where" }
}

extension Where {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let condition = try inputs.operand(0, of: .bool)
    let x = try inputs.required(1)
    let y = try inputs.operand(2, of: x.elementType)
    let choices = try broadcastShape(x.shape, y.shape, input: 2)
    let shape = try broadcastShape(Shape(choices), condition.shape, input: 0)
    return [try ResultType(x.elementType, checking: shape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let condition = try inputs.required(0).bools
    let (x, y) = (try inputs.required(1), try inputs.required(2))
    let tests = StridedLayout(broadcasting: try inputs.required(0).shape, to: type.shape).indices
    var sources = StridedLayout(broadcasting: y.shape, to: type.shape).indices
    let ofX = StridedLayout(broadcasting: x.shape, to: type.shape).indices
    // One list of indices into y's elements followed by x's.
    for index in sources.indices where condition[tests[index]] {
      sources[index] = y.count + ofX[index]
    }
    let both = Tensor.joined([y, x], elementType: x.elementType)
    return [both.gathering(sources, shape: type.shape)]
  }
}
