import BNNTensor

/// ONNX `Cast`, `CastLike`.
public struct Cast: Operator, Hashable {
  public var to: ElementType

  public init(to: ElementType) {
    self.to = to
  }

  public var name: String { "Cast" }
}

extension Cast {
  public func inferTypes(_ inputs: [OperandFact?]) throws(OperatorError) -> [ResultType] {
    let x = try inputs.required(0)
    guard to != .sign else { throw .unsupported("a cast to bits") }
    return [ResultType(to, x.shape)]
  }

  /// Floats become integers by truncation and saturate; integers wrap around; 16-bit floats are
  /// rounded to nearest even by way of float32; everything but 0 is true.
  public func evaluate(_ inputs: [Tensor?]) throws(OperatorError) -> [Tensor] {
    _ = try inferTypes(inputs.facts)
    let x = try inputs.required(0)
    switch to {
    case x.elementType: return [x]
    case .bool: return [Tensor(x.bools, shape: x.shape)]
    case .float64: return [Tensor(doubles(of: x), shape: x.shape)]
    case .float32, .float16, .bfloat16:
      let floats = x.elementType == .uint64 ? doubles(of: x).map { Float($0) } : x.floats
      return [Tensor(rounding: floats, shape: x.shape, to: to)]
    default: return [Tensor(integers(of: x), shape: x.shape, elementType: to)]
    }
  }

  private func doubles(of x: Tensor) -> [Double] {
    guard x.elementType == .uint64 else { return x.doubles }
    return x.integers.map { Double(UInt64(bitPattern: $0)) }
  }

  private func integers(of x: Tensor) -> [Int64] {
    guard x.elementType.isFloatingPoint else { return x.integers.map { $0.narrowed(to: to) } }
    guard to == .uint64 else { return x.integers.map { $0.clamped(to: to) } }
    return x.doubles.map { value in
      value >= 0x1p64 ? -1 : Int64(bitPattern: value > 0 ? UInt64(value) : 0)
    }
  }
}
