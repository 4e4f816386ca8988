import CBNNKernels

/// Pointwise steps (see `bnn_pointwise.h`).
struct PointwiseKernel {
  private let kernel: bnn_pointwise
  var name: String { String(cString: kernel.name) }

  init(_ pointer: UnsafePointer<bnn_pointwise>) { kernel = pointer.pointee }

  static var supported: [PointwiseKernel] {
    (0..<bnn_pointwise_count()).compactMap { bnn_pointwise_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { PointwiseKernel($0) }
  }

  typealias Source = UnsafePointer<Float>
  typealias Target = UnsafeMutablePointer<Float>

  func add(_ count: Int, _ a: Source, _ b: Source, to y: Target) { kernel.add(count, a, b, y) }
  func divide(_ count: Int, _ x: Source, by divisor: Float, to y: Target) {
    kernel.divide_scalar(count, x, divisor, y)
  }
}

/// Bit pooling and unpacking (see `bnn_bits.h`).
struct BitKernel {
  private let kernel: bnn_bits
  var name: String { String(cString: kernel.name) }

  init(_ pointer: UnsafePointer<bnn_bits>) { kernel = pointer.pointee }

  static var supported: [BitKernel] {
    (0..<bnn_bits_count()).compactMap { bnn_bits_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { BitKernel($0) }
  }

  func pool(
    words: Int, _ from: UnsafePointer<UInt64>, inverted: UnsafePointer<UInt64>,
    into to: UnsafeMutablePointer<UInt64>
  ) {
    kernel.pool(words, from, inverted, to)
  }
  func unpack(
    rows: Int, channels: Int, _ bits: UnsafePointer<UInt64>, to out: UnsafeMutablePointer<Float>
  ) {
    kernel.unpack(rows, channels, bits, out)
  }

  /// Copies bits between positions in words; the regions must not overlap.
  static func copy(
    _ count: Int, from: UnsafePointer<UInt64>, at fromBit: Int, to: UnsafeMutablePointer<UInt64>,
    at toBit: Int
  ) {
    bnn_copy_bits(to, toBit, from, fromBit, count)
  }
}

/// Elements in another order (see `bnn_layout.h`).
enum LayoutKernel {
  static func transpose(
    rows: Int, columns: Int, _ from: UnsafePointer<UInt32>, fromStep: Int,
    to: UnsafeMutablePointer<UInt32>, toStep: Int
  ) {
    bnn_transpose(rows, columns, from, fromStep, to, toStep)
  }
}
