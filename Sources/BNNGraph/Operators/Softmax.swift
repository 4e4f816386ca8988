import BNNTensor

/// ONNX `Softmax`, `LogSoftmax`. Before opset 13 all axes from `axis` on are flattened together.
public struct Softmax: Operator, Hashable {
  public var axis: Int
  public var logarithm: Bool
  /// The meaning before opset 13.
  public var flattens: Bool

  public init(axis: Int = -1, logarithm: Bool = false, flattens: Bool = false) {
    self.axis = axis
    self.logarithm = logarithm
    self.flattens = flattens
  }

  public var name: String { logarithm ? "LogSoftmax" : "Softmax" }
}

extension Softmax {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.float(0)
    _ = try runs(x.shape)
    return [ResultType(x.elementType, x.shape)]
  }

  /// e^(x − m) / Σ e^(x − m), or x − m − log Σ e^(x − m), with m the largest x.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let x = try inputs.required(0)
    let runs = try runs(x.shape)
    if case .double(let elements) = x.storage {
      return [Tensor(normalize(elements, runs), shape: x.shape)]
    }
    return [Tensor(rounding: normalize(x.floats, runs), shape: x.shape, to: x.elementType)]
  }

  private func runs(_ shape: Shape) throws(OperatorError) -> AxisRuns {
    let axis = try checkedAxis(axis, rank: shape.rank)
    guard flattens else { return AxisRuns(shape, axis: axis) }
    let rows = shape.dimensions.prefix(axis).reduce(1, *)
    let columns = shape.dimensions.dropFirst(axis).reduce(1, *)
    return AxisRuns([rows, columns], axis: 1)
  }

  private func normalize<T: ElementaryFloat>(_ x: [T], _ runs: AxisRuns) -> [T] {
    var result = x
    for start in runs.starts {
      let line = (0..<runs.length).map { start + $0 * runs.stride }
      let largest = line.reduce(-T.infinity) { propagatingMaximum($0, x[$1]) }
      let powers = line.map { T.exponential(x[$0] - largest) }
      let sum = powers.reduce(0, +)
      for (power, index) in zip(powers, line) {
        result[index] = logarithm ? x[index] - largest - T.logarithm(sum) : power / sum
      }
    }
    return result
  }
}
