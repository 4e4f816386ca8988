import BNNTensor

/// ONNX `Squeeze`. Inputs: x, optional axes (attributes are imported as constants).
public struct Squeeze: Operator, Hashable {
  public init() {}

  public var name: String { "Squeeze" }
}

extension Squeeze {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    let rank = x.shape.rank
    let dropped: [Int]
    if let axes = try inputs.optionalIntegers(1) {
      dropped = try checkedAxes(axes, rank: rank, input: 1)
      for axis in dropped where x.shape[axis] != 1 {
        throw .shapeMismatch(input: 0, expected: "an extent of 1 in axis \(axis)", found: x.shape)
      }
    } else {
      dropped = (0..<rank).filter { x.shape[$0] == 1 }
    }
    let kept = (0..<rank).filter { !dropped.contains($0) }
    return [ResultType(x.elementType, Shape(kept.map { x.shape[$0] }))]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    return [try inputs.required(0).withShape(type.shape)]
  }
}
