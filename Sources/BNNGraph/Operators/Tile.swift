import BNNTensor

/// ONNX `Tile`. Inputs: x, repeats.
public struct Tile: Operator, Hashable {
  public init() {}

  public var name: String { "Tile" }
}

extension Tile {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    let repeats = try inputs.integers(1)
    guard repeats.count == x.shape.rank, repeats.allSatisfy({ $0 >= 0 }) else {
      throw .invalidValue(
        input: 1, expected: "\(x.shape.rank) counts", found: "\(repeats)")
    }
    var extents: [Int] = []
    for (extent, count) in zip(x.shape.dimensions, repeats) {
      let (product, overflow) = extent.multipliedReportingOverflow(by: count)
      guard !overflow else { throw .tooLarge(Shape(repeats)) }
      extents.append(product)
    }
    return [try ResultType(x.elementType, checking: extents)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    let repeats = try inputs.facts.integers(1)
    // Each dimension as two: the repetitions, then the elements.
    let layout = StridedLayout(
      shape: Shape(zip(repeats, x.shape.dimensions).flatMap { [$0, $1] }),
      strides: x.shape.strides.flatMap { [0, $0] })
    return [x.gathering(layout.indices, shape: type.shape)]
  }
}
