/// What the elements of a tensor are.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  case float32, float64, float16, bfloat16
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case bool
  /// ±1, one bit each: 1 is +1, 0 is −1.
  case sign

  /// Bits of storage per element in files.
  public var bitWidth: Int {
    switch self {
    case .sign: 1
    case .bool, .int8, .uint8: 8
    case .int16, .uint16, .float16, .bfloat16: 16
    case .int32, .uint32, .float32: 32
    case .int64, .uint64, .float64: 64
    }
  }

  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .float16, .bfloat16: true
    default: false
    }
  }

  public var isInteger: Bool {
    switch self {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: true
    default: false
    }
  }

  /// The values that an integer type holds; nil for others. `uint64` ends at `Int64.max` here.
  public var integerRange: ClosedRange<Int64>? {
    switch self {
    case .int8: -128...127
    case .int16: -32768...32767
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    case .int64: Int64.min...Int64.max
    case .uint8: 0...255
    case .uint16: 0...65535
    case .uint32: 0...Int64(UInt32.max)
    case .uint64: 0...Int64.max
    default: nil
    }
  }
}
