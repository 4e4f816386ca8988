import BNNTensor

/// ONNX `Shape`: int64 extents from `start` to `end`.
public struct ShapeOf: Operator, Hashable {
  public var start: Int
  public var end: Int?

  public init(start: Int = 0, end: Int? = nil) {
    self.start = start
    self.end = end
  }

  public var name: String { "Shape" }
}

extension ShapeOf {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    [ResultType(.int64, [extents(of: try inputs.required(0).shape).count])]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let extents = extents(of: try inputs.required(0).shape)
    return [Tensor(extents.map { Int64($0) }, shape: [extents.count])]
  }

  public func valuesFromShapes(_ inputs: [OperandFact?]) throws(OperatorError) -> [Tensor]? {
    let extents = extents(of: try inputs.required(0).shape)
    return [Tensor(extents.map { Int64($0) }, shape: [extents.count])]
  }

  /// `start` and `end` count from the end where negative, and are clamped.
  private func extents(of shape: Shape) -> ArraySlice<Int> {
    func clamped(_ index: Int) -> Int {
      min(max(index < 0 ? index &+ shape.rank : index, 0), shape.rank)
    }
    let first = clamped(start)
    return shape.dimensions[first..<max(first, clamped(end ?? shape.rank))]
  }
}
