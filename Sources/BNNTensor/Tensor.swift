/// A dense tensor with a row-major layout.
///
/// Elements are held in one of few storages; `elementType` says what they are. 16-bit floats are
/// held as `Float`, already rounded to their type; all integers as `Int64` (`uint64` by bit
/// pattern).
public struct Tensor: Sendable {
  public let elementType: ElementType
  public private(set) var shape: Shape
  public private(set) var storage: Storage

  public enum Storage: Sendable {
    case float([Float])
    case double([Double])
    case integer([Int64])
    case bool([Bool])
    case sign(PackedTensor)
  }

  /// A tensor of float32, or of a 16-bit float type whose elements are rounded already.
  public init(_ elements: [Float], shape: Shape, elementType: ElementType = .float32) {
    precondition(
      elements.count == shape.count && [.float32, .float16, .bfloat16].contains(elementType))
    self.init(elementType: elementType, shape: shape, storage: .float(elements))
  }
  public init(_ elements: [Double], shape: Shape) {
    precondition(elements.count == shape.count)
    self.init(elementType: .float64, shape: shape, storage: .double(elements))
  }
  public init(_ elements: [Int64], shape: Shape, elementType: ElementType = .int64) {
    precondition(elements.count == shape.count && elementType.isInteger)
    self.init(elementType: elementType, shape: shape, storage: .integer(elements))
  }
  public init(_ elements: [Bool], shape: Shape) {
    precondition(elements.count == shape.count)
    self.init(elementType: .bool, shape: shape, storage: .bool(elements))
  }
  public init(_ packed: PackedTensor) {
    self.init(elementType: .sign, shape: packed.shape, storage: .sign(packed))
  }
  public init(scalar: Float) { self.init([scalar], shape: []) }

  private init(elementType: ElementType, shape: Shape, storage: Storage) {
    self.elementType = elementType
    self.shape = shape
    self.storage = storage
  }

  public var count: Int { shape.count }

  /// The same elements under another shape of the same count.
  public func reshaped(to shape: Shape) -> Tensor {
    precondition(shape.count == count && elementType != .sign)
    var result = self
    result.shape = shape
    return result
  }

  /// Bytes of the elements at their own width, as a file would store them.
  public var byteCount: Int { PackedTensor.byteCount(of: count * elementType.bitWidth) }
}

extension Tensor {
  /// The elements as float32; other types are converted, ±1 unpacked.
  public var floats: [Float] {
    switch storage {
    case .float(let elements): elements
    case .double(let elements): elements.map { Float($0) }
    case .integer(let elements): elements.map { Float($0) }
    case .bool(let elements): elements.map { $0 ? 1 : 0 }
    case .sign(let packed): packed.signs
    }
  }

  public var doubles: [Double] {
    switch storage {
    case .float(let elements): elements.map { Double($0) }
    case .double(let elements): elements
    case .integer(let elements): elements.map { Double($0) }
    case .bool(let elements): elements.map { $0 ? 1 : 0 }
    case .sign(let packed): packed.signs.map { Double($0) }
    }
  }

  /// The elements as integers. Floats are truncated toward zero; what does not fit (and NaN) saturates.
  public var integers: [Int64] {
    switch storage {
    case .float(let elements): elements.map { Int64(saturating: Double($0)) }
    case .double(let elements): elements.map { Int64(saturating: $0) }
    case .integer(let elements): elements
    case .bool(let elements): elements.map { $0 ? 1 : 0 }
    case .sign(let packed): packed.signs.map { Int64($0) }
    }
  }

  /// The elements as truth values: not zero is true.
  public var bools: [Bool] {
    switch storage {
    case .float(let elements): elements.map { $0 != 0 }
    case .double(let elements): elements.map { $0 != 0 }
    case .integer(let elements): elements.map { $0 != 0 }
    case .bool(let elements): elements
    case .sign(let packed): packed.signs.map { $0 != 0 }
    }
  }

  /// The packed elements of a tensor of ±1 bits.
  public var packed: PackedTensor? {
    if case .sign(let packed) = storage { packed } else { nil }
  }
}

extension Tensor {
  /// Changes the elements in place; they are copied first only where something else holds them.
  ///
  /// - Parameter body: leaves as many elements of the same kind. To change a list in place, it has
  ///   to take it out of the storage and put it back.
  package mutating func updateStorage(_ body: (inout Storage) -> Void) {
    var own = storage
    storage = .float([])
    body(&own)
    storage = own
  }
}

extension Int64 {
  package init(saturating value: Double) {
    if value.isNaN {
      self = 0
    } else if value >= 0x1p63 {
      self = .max
    } else if value < -0x1p63 {
      self = .min
    } else {
      self = Int64(value)
    }
  }
}

extension Tensor: Equatable {
  /// Same type, shape and elements; floats are compared by bit pattern, so NaN equals itself and 0
  /// differs from −0.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    guard a.elementType == b.elementType, a.shape == b.shape else { return false }
    switch (a.storage, b.storage) {
    case (.float(let x), .float(let y)):
      return x.elementsEqual(y) { $0.bitPattern == $1.bitPattern }
    case (.double(let x), .double(let y)):
      return x.elementsEqual(y) { $0.bitPattern == $1.bitPattern }
    case (.integer(let x), .integer(let y)): return x == y
    case (.bool(let x), .bool(let y)): return x == y
    case (.sign(let x), .sign(let y)): return x == y
    default: return false
    }
  }
}

extension Tensor: Hashable {
  /// Elements are left out: tensors of one type and shape are rare enough.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(elementType)
    hasher.combine(shape)
  }
}
