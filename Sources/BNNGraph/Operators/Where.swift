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
    let shape = type.shape
    func operand(_ index: Int) throws(OperatorError) -> Tensor {
      let tensor = try inputs.required(index)
      // What has one element is not repeated.
      return tensor.count == 1
        ? tensor : tensor.gathering(StridedLayout(broadcasting: tensor.shape, to: shape))
    }
    let condition = try operand(0).bools
    let (x, y) = (try operand(1), try operand(2))
    switch (x.storage, y.storage) {
    case (.float(let x), .float(let y)):
      let result = select(condition, x, y, count: shape.count)
      return [Tensor(result, shape: shape, elementType: type.elementType)]
    case (.double(let x), .double(let y)):
      return [Tensor(select(condition, x, y, count: shape.count), shape: shape)]
    case (.integer(let x), .integer(let y)):
      let result = select(condition, x, y, count: shape.count)
      return [Tensor(result, shape: shape, elementType: type.elementType)]
    case (.sign(let x), .sign(let y)):
      let result = select(condition, x.signs, y.signs, count: shape.count)
      return [Tensor(PackedTensor(shape: shape) { result[$0] > 0 })]
    default:
      return [Tensor(select(condition, x.bools, y.bools, count: shape.count), shape: shape)]
    }
  }

  /// Each list has `count` elements, or one for all.
  private func select<T: BitwiseCopyable>(
    _ condition: [Bool], _ x: [T], _ y: [T], count: Int
  ) -> [T] {
    guard count > 0 else { return [] }
    return [T](unsafeUninitializedCapacity: count) { result, initialized in
      for index in 0..<count {
        let a = x.count == 1 ? x[0] : x[index]
        let b = y.count == 1 ? y[0] : y[index]
        let test = condition.count == 1 ? condition[0] : condition[index]
        result.initializeElement(at: index, to: test ? a : b)
      }
      initialized = count
    }
  }
}
