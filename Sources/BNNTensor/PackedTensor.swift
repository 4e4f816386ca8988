/// A tensor of ±1, one bit per element.
///
/// The one bit order of the toolkit: elements in row-major order; element i is bit i mod 8 (least
/// significant first) of byte i / 8; 1 stands for +1 and 0 for −1; the bits after the last element
/// are 0. Weights of convolutions have the shape [output channels, kernel…, input channels per
/// group], so that the channels of one tap are neighbours.
public struct PackedTensor: Hashable, Sendable {
  public let shape: Shape
  public private(set) var bytes: [UInt8]

  /// - Returns: nil when there are not exactly as many bytes as the shape needs, or a bit after the
  ///   last element is set.
  public init?(shape: Shape, bytes: [UInt8]) {
    guard let count = shape.checkedCount, bytes.count == PackedTensor.byteCount(of: count) else {
      return nil
    }
    if count % 8 != 0, let last = bytes.last, last >> UInt8(count % 8) != 0 { return nil }
    self.shape = shape
    self.bytes = bytes
  }

  /// Packs by asking for each element, in row-major order, whether it is +1.
  public init(shape: Shape, isPlus: (Int) -> Bool) {
    let count = shape.count
    var bytes = [UInt8](repeating: 0, count: PackedTensor.byteCount(of: count))
    // Without a branch, which no CPU could predict.
    for index in 0..<count { bytes[index >> 3] |= (isPlus(index) ? 1 : 0) << UInt8(index & 7) }
    self.shape = shape
    self.bytes = bytes
  }

  public static func byteCount(of elements: Int) -> Int {
    elements / 8 + (elements % 8 == 0 ? 0 : 1)
  }

  public var count: Int { shape.count }

  /// Whether the element at a row-major index is +1.
  public subscript(index: Int) -> Bool {
    get { bytes[index >> 3] >> UInt8(index & 7) & 1 == 1 }
    set {
      precondition(index < count)
      if newValue {
        bytes[index >> 3] |= 1 << UInt8(index & 7)
      } else {
        bytes[index >> 3] &= ~(1 << UInt8(index & 7))
      }
    }
  }

  /// Changes the bytes in place. The bits after the last element have to stay 0.
  package mutating func withMutableBytes(_ body: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
    bytes.withUnsafeMutableBufferPointer { body($0) }
  }

  /// The elements as +1 and −1.
  public var signs: [Float] { (0..<count).map { self[$0] ? 1 : -1 } }
}

extension PackedTensor {
  public func hash(into hasher: inout Hasher) {
    hasher.combine(shape)
    // All bytes at once: an array is hashed element by element.
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}
