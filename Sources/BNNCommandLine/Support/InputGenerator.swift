import BNNKit

/// Inputs from a seed, for timing and for checks that need no meaning.
struct InputGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64.
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// A tensor for each input: real values uniform in [−1, 1), integers in 0…255 as far as the type
  /// goes, random bits.
  mutating func tensors(for ports: [Port], batch: Int) throws(CommandError) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for port in ports {
      guard let shape = port.dimensions?.shape(batch: batch), shape.checkedCount != nil else {
        throw CommandError(
          .usage, "input '\(port.name)' has no known shape; give one with --input-shape")
      }
      tensors[port.name] = tensor(of: port.elementType, shape: shape)
    }
    return tensors
  }

  /// Random ±1.
  mutating func signs(_ shape: Shape) -> PackedTensor {
    let bits = (0..<shape.count).map { _ in next() & 1 == 1 }
    return PackedTensor(shape: shape) { bits[$0] }
  }

  private mutating func tensor(of type: ElementType, shape: Shape) -> Tensor {
    var bits: [UInt64] = []
    bits.reserveCapacity(shape.count)
    for _ in 0..<shape.count { bits.append(next()) }
    switch type {
    case .sign: return Tensor(PackedTensor(shape: shape) { bits[$0] & 1 == 1 })
    case .bool: return Tensor(bits.map { $0 & 1 == 1 }, shape: shape)
    case .float64: return Tensor(bits.map { Double(Int64(bitPattern: $0)) * 0x1p-63 }, shape: shape)
    case .float32, .float16, .bfloat16:
      // Eight bits of fraction: exact in every floating-point type.
      let values = bits.map { Float(Int($0 >> 56) - 128) / 128 }
      return Tensor(values, shape: shape, elementType: type)
    default:
      let limit = UInt64(min(type.integerRange?.upperBound ?? 127, 255))
      return Tensor(bits.map { Int64($0 % (limit + 1)) }, shape: shape, elementType: type)
    }
  }
}
