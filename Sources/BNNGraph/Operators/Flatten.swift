import BNNTensor

/// ONNX `Flatten` to a matrix.
public struct Flatten: Operator, Hashable {
  public var axis: Int

  public init(axis: Int = 1) {
    self.axis = axis
  }

  public var name: String { "Flatten" }
}

extension Flatten {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    // Unlike elsewhere, the axis may also be the rank: everything before it.
    let axis = axis < 0 ? axis &+ x.shape.rank : axis
    guard axis >= 0, axis <= x.shape.rank else {
      throw .invalidAttribute(
        name: "axis", value: "\(self.axis)", expected: "from -rank to rank \(x.shape.rank)")
    }
    let rows = x.shape.dimensions.prefix(axis).reduce(1, *)
    let columns = x.shape.dimensions.dropFirst(axis).reduce(1, *)
    return [try ResultType(x.elementType, checking: [rows, columns])]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    return [try inputs.required(0).withShape(type.shape)]
  }
}
