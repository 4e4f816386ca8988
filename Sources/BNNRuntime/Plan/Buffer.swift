import BNNFormat
import BNNTensor

/// Where a value lies in the arena, and how.
///
/// Real values and integers are row-major, bools one byte each. Bits are rows along the last axis,
/// each in whole 64-bit words with the first element in the lowest bit; the bits after the last
/// element are 0.
struct Buffer {
  let type: ElementType
  private(set) var shape: Shape
  var offset = 0
  /// How many elements after a row of real values the next one begins: more than it has where the
  /// value is a part of a concatenated one.
  var rowStep: Int
  var isGapless: Bool { rowStep == channels }
  /// Whether only some lines exist at a time, in a worker's scratch.
  var isInBand = false
  /// Whether it lies as it did before a transposition, with its channels in planes:
  /// [image][channel][row][column].
  var isPlanar = false
  /// Whether it is an input that may be read where the caller has it.
  var isExternal = false

  static let maximumCount = 1 << 32

  /// - Returns: nil when the value has more elements than can be addressed.
  init?(type: ElementType, shape: Shape) {
    // Extents of 0 must not hide others: steps walk over axes whatever the other extents are.
    let bound = Shape(shape.dimensions.map { $0 == 0 ? 1 : $0 })
    guard let count = bound.checkedCount, count <= Buffer.maximumCount else { return nil }
    self.type = type
    self.shape = shape
    rowStep = shape.dimensions.last ?? 1
  }

  /// The extent of the last axis, 1 for a scalar.
  var channels: Int { shape.dimensions.last ?? 1 }
  /// The product of the extents before the last axis.
  var rows: Int { shape.dimensions.dropLast().reduce(1, *) }
  /// Words of a row of bits.
  var words: Int { (channels + 63) / 64 }
  var count: Int { shape.count }

  /// The same elements without gaps in another shape.
  func reshaped(to shape: Shape) -> Buffer {
    var buffer = self
    buffer.shape = shape
    buffer.rowStep = shape.dimensions.last ?? 1
    return buffer
  }

  /// Bytes of an element; nil for bits.
  var elementBytes: Int? { type == .sign ? nil : type.bitWidth / 8 }
  var byteCount: Int { elementBytes.map { count * $0 } ?? rows * words * 8 }

  @inline(__always)
  func elements<T: BitwiseCopyable>(
    _ type: T.Type, _ execution: Execution
  ) -> UnsafeMutablePointer<T> {
    (isExternal ? execution.external : execution.arena + offset).assumingMemoryBound(to: type)
  }

  @inline(__always)
  func floats(_ execution: Execution) -> UnsafeMutablePointer<Float> {
    ((isInBand ? execution.band : execution.arena) + offset).assumingMemoryBound(to: Float.self)
  }

  @inline(__always)
  func bits(_ execution: Execution) -> UnsafeMutablePointer<UInt64> {
    (execution.arena + offset).assumingMemoryBound(to: UInt64.self)
  }
}

extension ModelValue {
  /// The shape for a batch, or nil on overflow.
  func checkedShape(batch: Int) -> Shape? {
    var extents: [Int] = []
    for dimension in dimensions {
      switch dimension {
      case .fixed(let extent): extents.append(extent)
      case .batch(let multiple):
        let (extent, overflow) = multiple.multipliedReportingOverflow(by: batch)
        guard !overflow else { return nil }
        extents.append(extent)
      }
    }
    return Shape(extents)
  }
}
