import BNNTensor

/// ONNX `Transpose`: output axis i is input axis `permutation[i]`; empty reverses.
public struct Transpose: Operator, Hashable {
  public var permutation: [Int]

  public init(permutation: [Int]) {
    self.permutation = permutation
  }

  public var name: String { "Transpose" }
}

extension Transpose {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    let axes = try axes(rank: x.shape.rank)
    return [ResultType(x.elementType, Shape(axes.map { x.shape[$0] }))]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let x = try inputs.required(0)
    let type = try inferTypes(inputs.facts)[0]
    let strides = x.shape.strides
    let order = try axes(rank: x.shape.rank)
    return [x.gathering(StridedLayout(shape: type.shape, strides: order.map { strides[$0] }))]
  }

  private func axes(rank: Int) throws(OperatorError) -> [Int] {
    if permutation.isEmpty { return Array((0..<rank).reversed()) }
    guard permutation.sorted() == Array(0..<rank) else {
      throw .invalidAttribute(
        name: "perm", value: "\(permutation)", expected: "a permutation of \(rank) axes")
    }
    return permutation
  }
}
