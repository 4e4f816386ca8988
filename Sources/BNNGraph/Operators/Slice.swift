import BNNTensor

/// ONNX `Slice`. Inputs: x, starts, ends, optional axes, optional steps (attributes of old opsets
/// are imported as constants).
public struct Slice: Operator, Hashable {
  public init() {}

  public var name: String { "Slice" }
}

extension Slice {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    return [ResultType(x.elementType, try layout(inputs).shape)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    [try inputs.required(0).gathering(layout(inputs.facts))]
  }

  private func layout(_ inputs: [OperandFact?]) throws(OperatorError) -> StridedLayout {
    let shape = try inputs.required(0).shape
    let (starts, ends) = (try inputs.integers(1), try inputs.integers(2))
    let listed = try inputs.optionalIntegers(3) ?? Array(0..<starts.count)
    let axes = try checkedAxes(listed, rank: shape.rank, input: 3)
    let steps = try inputs.optionalIntegers(4) ?? starts.map { _ in 1 }
    guard ends.count == starts.count else {
      throw .invalidValue(input: 2, expected: "\(starts.count) ends", found: "\(ends)")
    }
    guard axes.count == starts.count else {
      throw .invalidValue(input: 3, expected: "\(starts.count) axes", found: "\(axes)")
    }
    guard steps.count == starts.count, !steps.contains(0), !steps.contains(.min) else {
      throw .invalidValue(
        input: 4, expected: "\(starts.count) steps other than 0", found: "\(steps)")
    }
    var layout = StridedLayout(shape: shape, strides: shape.strides)
    for (index, axis) in axes.enumerated() {
      let extent = shape[axis]
      let (first, count) = positions(
        from: starts[index], to: ends[index], step: steps[index], extent: extent)
      layout.offset += first * layout.strides[axis]
      layout.shape.dimensions[axis] = count
      layout.strides[axis] =
        layout.strides[axis].multipliedReportingOverflow(by: steps[index])
        .partialValue
    }
    return layout
  }

  /// The first position and how many there are; both ends are clamped to the extent.
  private func positions(
    from start: Int, to end: Int, step: Int, extent: Int
  ) -> (first: Int, count: Int) {
    guard extent > 0 else { return (0, 0) }
    func clamped(_ index: Int, _ bounds: ClosedRange<Int>) -> Int {
      min(max(index < 0 ? index + extent : index, bounds.lowerBound), bounds.upperBound)
    }
    let (first, distance): (Int, Int)
    if step > 0 {
      first = clamped(start, 0...extent)
      distance = clamped(end, 0...extent) - first
    } else {
      first = clamped(start, 0...extent - 1)
      distance = first - clamped(end, -1...extent - 1)
    }
    return distance > 0 ? (first, (distance - 1) / abs(step) + 1) : (0, 0)
  }
}
