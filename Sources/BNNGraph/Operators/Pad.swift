import BNNTensor

/// ONNX `Pad`. Inputs: x, pads, optional value, optional axes (attributes of old opsets are
/// imported as constants).
public struct Pad: Operator, Hashable {
  public var mode: Mode

  public typealias Mode = PadMode

  public init(mode: Mode = .constant) {
    self.mode = mode
  }

  public var name: String { "Pad" }
}

extension Pad {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    if inputs.optional(2) != nil {
      let value = try inputs.operand(2, of: x.elementType)
      guard value.shape.checkedCount == 1 else {
        throw .shapeMismatch(input: 2, expected: "one element", found: value.shape)
      }
    }
    let pads = try pads(inputs, rank: x.shape.rank)
    var extents: [Int] = []
    for (axis, pad) in pads.enumerated() {
      let extent = x.shape[axis]
      guard mode.allows(begin: pad.begin, end: pad.end, extent: extent) else {
        throw .invalidValue(
          input: 1, expected: "pads that \(mode.rawValue) can fill in \(x.shape)",
          found: "\(pad.begin), \(pad.end) in axis \(axis)")
      }
      extents.append(extent + pad.begin + pad.end)
    }
    return [try ResultType(x.elementType, checking: extents)]
  }

  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    let type = try inferTypes(inputs.facts)[0]
    let x = try inputs.required(0)
    let pads = try pads(inputs.facts, rank: x.shape.rank)
    guard x.elementType != .sign else { throw .wrongElementType(input: 0, found: .sign) }
    // Index 0 is the padding's value, the elements of x follow.
    var sources = [1]
    for axis in 0..<x.shape.rank {
      let stride = x.shape.strides[axis]
      let (begin, end) = pads[axis]
      let kept = mode.kept(begin: begin, end: end, extent: x.shape[axis])
      let positions = (0..<type.shape[axis]).map { mode.source(of: $0 - begin, in: kept) }
      sources = sources.flatMap { start in
        positions.map { $0.map { start == 0 ? 0 : start + $0 * stride } ?? 0 }
      }
    }
    let fill = inputs.optional(2) ?? Tensor.zero(of: x.elementType)
    let all = Tensor.joined([fill, x], elementType: x.elementType)
    return [all.gathering(sources, shape: type.shape)]
  }

  /// Padding before and after each dimension; negative numbers crop.
  private func pads(
    _ inputs: [OperandFact?], rank: Int
  ) throws(OperatorError) -> [(begin: Int, end: Int)] {
    let numbers = try inputs.integers(1)
    let axes = try checkedAxes(
      inputs.optionalIntegers(3) ?? Array(0..<rank), rank: rank, input: 3)
    guard numbers.count == 2 * axes.count, numbers.allSatisfy({ abs(Double($0)) < 0x1p40 }) else {
      throw .invalidValue(input: 1, expected: "\(2 * axes.count) pads", found: "\(numbers)")
    }
    var result = [(begin: Int, end: Int)](repeating: (0, 0), count: rank)
    for (index, axis) in axes.enumerated() {
      result[axis] = (numbers[index], numbers[index + axes.count])
    }
    return result
  }
}
