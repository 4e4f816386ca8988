import BNNTensor
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

  enum Arithmetic {
    case add, subtract, multiply, divide

    fileprivate var index: bnn_arithmetic {
      switch self {
      case .add: BNN_ADD
      case .subtract: BNN_SUBTRACT
      case .multiply: BNN_MULTIPLY
      case .divide: BNN_DIVIDE
      }
    }
  }

  /// y = a (operation) b. From one number of an operand to the next is its step, 0 or 1.
  func combine(
    _ operation: Arithmetic, _ count: Int, _ a: Source, step aStep: Int = 1, _ b: Source,
    step bStep: Int = 1, to y: Target
  ) {
    withUnsafePointer(to: kernel) {
      bnn_combine($0, operation.index, count, a, aStep, b, bStep, y)
    }
  }
  func combine(_ operation: Arithmetic, _ count: Int, _ a: Source, _ b: Float, to y: Target) {
    withUnsafePointer(to: b) { combine(operation, count, a, step: 1, $0, step: 0, to: y) }
  }

  /// NaN where there is one; −infinity of none.
  func maximum(_ count: Int, _ x: Source) -> Float { kernel.maximum(count, x) }
  func sum(_ count: Int, _ x: Source) -> Float { kernel.sum(count, x) }

  /// The places of the largest or smallest numbers of lines (see `bnn_pointwise.h`).
  func placesOfExtrema(
    lines: Int, length: Int, _ x: Source, lineStep: Int, step: Int, isMaximum: Bool,
    selectsLast: Bool, to y: UnsafeMutablePointer<Int64>
  ) {
    kernel.place_of_extremum(lines, length, x, lineStep, step, isMaximum, selectsLast, y)
  }

  /// The function of every number; the same as `PointwiseFunction.apply`, bit for bit.
  func apply(_ function: PointwiseFunction, _ count: Int, _ x: Source, to y: Target) {
    guard let (index, alpha, beta) = PointwiseKernel.entry(of: function) else {
      if x != UnsafePointer(y) { y.update(from: x, count: count) }
      return function.apply(to: UnsafeMutableBufferPointer(start: y, count: count))
    }
    withUnsafePointer(to: kernel) { bnn_apply_function($0, index, count, x, alpha, beta, y) }
  }

  private static func entry(
    of function: PointwiseFunction
  ) -> (index: bnn_function, alpha: Float, beta: Float)? {
    switch function {
    case .exponential: (BNN_EXPONENTIAL, 0, 0)
    case .logarithm: (BNN_LOGARITHM, 0, 0)
    case .floor: (BNN_FLOOR, 0, 0)
    case .ceiling: (BNN_CEILING, 0, 0)
    case .roundHalfToEven: (BNN_ROUND_HALF_TO_EVEN, 0, 0)
    case .sigmoid: (BNN_SIGMOID, 0, 0)
    case .tanh: (BNN_TANH, 0, 0)
    case .erf: (BNN_ERF, 0, 0)
    case .softplus: (BNN_SOFTPLUS, 0, 0)
    case .softsign: (BNN_SOFTSIGN, 0, 0)
    case .elu(let alpha): (BNN_ELU, alpha, 0)
    case .selu(let alpha, let gamma): (BNN_SELU, alpha, gamma)
    case .celu(let alpha): (BNN_CELU, alpha, 0)
    case .hardSigmoid(let alpha, let beta): (BNN_HARD_SIGMOID, alpha, beta)
    case .hardSwish: (BNN_HARD_SWISH, 0, 0)
    case .gelu(tanhApproximation: false): (BNN_GELU, 0, 0)
    case .gelu(tanhApproximation: true): (BNN_GELU_TANH, 0, 0)
    default: nil
    }
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
    rows: Int, words: Int, _ from: UnsafePointer<UInt64>, step: Int,
    inverted: UnsafePointer<UInt64>, into to: UnsafeMutablePointer<UInt64>
  ) {
    kernel.pool(rows, words, from, step, inverted, to)
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

  /// The same with bits; steps are in words.
  static func transposeBits(
    rows: Int, columns: Int, _ from: UnsafePointer<UInt64>, fromStep: Int,
    to: UnsafeMutablePointer<UInt64>, toStep: Int
  ) {
    bnn_transpose_bits(rows, columns, from, fromStep, to, toStep)
  }
}
