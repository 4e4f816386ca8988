import CBNNKernels

/// The chosen kernel of each family.
///
/// The only file that calls into `CBNNKernels`; everything else speaks of kernels through it.
struct Kernels {
  let binaryProduct: BinaryProductKernel
  let floatProduct: FloatProductKernel
  let pointwise: PointwiseKernel
  let threshold: ThresholdKernel
  let gather: GatherKernel
  let bits: BitKernel

  fileprivate init(isa: bnn_isa) {
    binaryProduct = BinaryProductKernel(bnn_bgemm_best(isa))
    floatProduct = FloatProductKernel(bnn_fgemm_best(isa))
    pointwise = PointwiseKernel(bnn_pointwise_best(isa))
    threshold = ThresholdKernel(bnn_threshold_best(isa))
    gather = GatherKernel(bnn_gather_best(isa))
    bits = BitKernel(bnn_bits_best(isa))
  }

  /// The kernels of a choice, or nil when this CPU cannot run them.
  init?(_ choice: KernelChoice) {
    let isa: bnn_isa =
      switch choice {
      case .best: bnn_isa_best()
      case .scalar: BNN_ISA_SCALAR
      case .avx2: BNN_ISA_AVX2
      }
    guard bnn_isa_supported(isa) else { return nil }
    self.init(isa: isa)
  }

  /// Names in the order of the properties.
  var names: [String] {
    [
      binaryProduct.name, floatProduct.name, pointwise.name, threshold.name, gather.name, bits.name,
    ]
  }
}

/// A binary matrix product (see `bnn_bgemm.h`).
struct BinaryProductKernel {
  private let kernel: bnn_bgemm
  let name: String
  /// Bytes of a row of activations in the kernel's layout per word, 0 where it takes plain words.
  let packedRowBytesPerWord: Int

  fileprivate init(_ pointer: UnsafePointer<bnn_bgemm>) {
    kernel = pointer.pointee
    name = String(cString: kernel.name)
    packedRowBytesPerWord = kernel.pack_rows == nil ? 0 : kernel.row_bytes_per_word
  }

  /// Those that this CPU runs, best first.
  static var supported: [BinaryProductKernel] {
    (0..<bnn_bgemm_count()).compactMap { bnn_bgemm_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { BinaryProductKernel($0) }
  }

  func weightBytes(outputs: Int, words: Int) -> Int { kernel.weight_bytes(outputs, words) }

  func packWeights(
    outputs: Int, words: Int, rows: UnsafePointer<UInt64>, into packed: UnsafeMutableRawPointer
  ) {
    kernel.pack_weights(outputs, words, rows, packed)
  }

  func packRows(
    _ rows: Int, words: Int, bits: UnsafePointer<UInt64>, into packed: UnsafeMutableRawPointer
  ) {
    kernel.pack_rows?(rows, words, bits, packed)
  }

  func multiply(
    rows: Int, outputs: Int, words: Int, packedRows: UnsafeRawPointer,
    packedWeights: UnsafeRawPointer, bases: UnsafePointer<UnsafePointer<Int32>?>,
    out: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    kernel.multiply(rows, outputs, words, packedRows, packedWeights, bases, out, stride)
  }
}

/// A float32 matrix product (see `bnn_fgemm.h`).
struct FloatProductKernel {
  private let pointer: UnsafePointer<bnn_fgemm>
  var name: String { String(cString: pointer.pointee.name) }

  fileprivate init(_ pointer: UnsafePointer<bnn_fgemm>) { self.pointer = pointer }

  static var supported: [FloatProductKernel] {
    (0..<bnn_fgemm_count()).compactMap { bnn_fgemm_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { FloatProductKernel($0) }
  }

  func weightBytes(outputs: Int, depth: Int) -> Int {
    bnn_fgemm_weight_bytes(pointer, outputs, depth)
  }

  func packWeights(
    outputs: Int, depth: Int, rows: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    bnn_fgemm_pack_weights(pointer, outputs, depth, rows, packed)
  }

  func multiply(
    rows: Int, outputs: Int, depth: Int, a: UnsafePointer<Float>, aStride: Int,
    packedWeights: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    pointer.pointee.multiply(rows, outputs, depth, a, aStride, packedWeights, out, stride)
  }
}

/// Pointwise steps (see `bnn_pointwise.h`).
struct PointwiseKernel {
  private let kernel: bnn_pointwise
  var name: String { String(cString: kernel.name) }

  fileprivate init(_ pointer: UnsafePointer<bnn_pointwise>) { kernel = pointer.pointee }

  static var supported: [PointwiseKernel] {
    (0..<bnn_pointwise_count()).compactMap { bnn_pointwise_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { PointwiseKernel($0) }
  }

  typealias Source = UnsafePointer<Float>
  typealias Target = UnsafeMutablePointer<Float>

  func affine(rows: Int, channels: Int, _ x: Source, scale: Source, bias: Source, to y: Target) {
    kernel.affine(rows, channels, x, scale, bias, y)
  }
  func slopes(
    rows: Int, channels: Int, _ x: Source, positive: Source, negative: Source, to y: Target
  ) {
    kernel.slopes(rows, channels, x, positive, negative, y)
  }
  func clamp(_ count: Int, _ x: Source, lower: Float, upper: Float, to y: Target) {
    kernel.clamp(count, x, lower, upper, y)
  }
  func add(_ count: Int, _ a: Source, _ b: Source, to y: Target) { kernel.add(count, a, b, y) }
  func multiply(_ count: Int, _ a: Source, _ b: Source, to y: Target) {
    kernel.multiply(count, a, b, y)
  }
  func add(_ count: Int, _ x: Source, scalar: Float, to y: Target) {
    kernel.add_scalar(count, x, scalar, y)
  }
  func multiply(_ count: Int, _ x: Source, scalar: Float, to y: Target) {
    kernel.multiply_scalar(count, x, scalar, y)
  }
  func divide(_ count: Int, _ x: Source, by divisor: Float, to y: Target) {
    kernel.divide_scalar(count, x, divisor, y)
  }
  func relu(_ count: Int, _ x: Source, to y: Target) { kernel.relu(count, x, y) }
  func maximum(_ count: Int, _ a: Source, _ b: Source, to y: Target) {
    kernel.maximum(count, a, b, y)
  }
  func minimum(_ count: Int, _ a: Source, _ b: Source, to y: Target) {
    kernel.minimum(count, a, b, y)
  }
  func convert(_ count: Int, _ x: UnsafePointer<Int32>, to y: Target) {
    kernel.from_integers(count, x, y)
  }
}

/// Threshold tests (see `bnn_threshold.h`).
struct ThresholdKernel {
  private let kernel: bnn_threshold
  var name: String { String(cString: kernel.name) }

  fileprivate init(_ pointer: UnsafePointer<bnn_threshold>) { kernel = pointer.pointee }

  static var supported: [ThresholdKernel] {
    (0..<bnn_threshold_count()).compactMap { bnn_threshold_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { ThresholdKernel($0) }
  }

  func test(
    rows: Int, channels: Int, _ x: UnsafePointer<Int32>, lower: UnsafePointer<Int32>,
    upper: UnsafePointer<Int32>, outsideIsPlus: UnsafePointer<UInt64>,
    to bits: UnsafeMutablePointer<UInt64>
  ) {
    kernel.integers(rows, channels, x, lower, upper, outsideIsPlus, bits)
  }
  func test(
    rows: Int, channels: Int, _ x: UnsafePointer<Float>, lower: UnsafePointer<Float>,
    upper: UnsafePointer<Float>, outsideIsPlus: UnsafePointer<UInt64>,
    to bits: UnsafeMutablePointer<UInt64>
  ) {
    kernel.floats(rows, channels, x, lower, upper, outsideIsPlus, bits)
  }
}

/// Bit pooling and unpacking (see `bnn_bits.h`).
struct BitKernel {
  private let kernel: bnn_bits
  var name: String { String(cString: kernel.name) }

  fileprivate init(_ pointer: UnsafePointer<bnn_bits>) { kernel = pointer.pointee }

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

/// A window over channels-last images with three spatial dimensions (see `bnn_window.h`).
struct ImageWindow {
  fileprivate var window: bnn_window

  /// All lists have three entries.
  init(
    input: [Int], output: [Int], kernel: [Int], strides: [Int], dilations: [Int], padsBegin: [Int]
  ) {
    func triple(_ list: [Int]) -> (Int64, Int64, Int64) {
      (Int64(list[0]), Int64(list[1]), Int64(list[2]))
    }
    window = bnn_window(
      input: triple(input), output: triple(output), kernel: triple(kernel),
      stride: triple(strides), dilation: triple(dilations), pad: triple(padsBegin))
  }

  /// The taps [first, end) of an axis that lie in the input, and the input position of tap 0.
  struct AxisTaps {
    var first: Int
    var end: Int
    var origin: Int
  }

  /// The image and the taps per axis of an output position.
  func taps(at position: Int) -> (image: Int, z: AxisTaps, y: AxisTaps, x: AxisTaps) {
    let taps = withUnsafePointer(to: window) { bnn_window_taps($0, position) }
    func axis(_ first: Int64, _ end: Int64, _ origin: Int64) -> AxisTaps {
      AxisTaps(first: Int(first), end: Int(end), origin: Int(origin))
    }
    return (
      Int(taps.image), axis(taps.first.0, taps.end.0, taps.origin.0),
      axis(taps.first.1, taps.end.1, taps.origin.1), axis(taps.first.2, taps.end.2, taps.origin.2)
    )
  }
}

/// Gathering what windows see into rows (see `bnn_window.h`).
struct GatherKernel {
  private let kernel: bnn_gather
  var name: String { String(cString: kernel.name) }

  fileprivate init(_ pointer: UnsafePointer<bnn_gather>) { kernel = pointer.pointee }

  /// A block of channels of every pixel.
  struct Channels {
    /// Words (bits) or elements (floats) of one pixel.
    var pixelSize: Int
    var first: Int
    var count: Int
  }

  func bits(
    _ window: ImageWindow, _ input: UnsafePointer<UInt64>, _ channels: Channels, outside: Bool,
    positions: Range<Int>, to rows: UnsafeMutablePointer<UInt64>, rowWords: Int
  ) {
    withUnsafePointer(to: window.window) {
      kernel.bits(
        $0, input, channels.pixelSize, channels.first, channels.count, outside ? 1 : 0,
        positions.lowerBound, positions.count, rows, rowWords)
    }
  }

  func floats(
    _ window: ImageWindow, _ input: UnsafePointer<Float>, _ channels: Channels,
    positions: Range<Int>, to rows: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: window.window) {
      kernel.floats(
        $0, input, channels.pixelSize, channels.first, channels.count, positions.lowerBound,
        positions.count, rows)
    }
  }
}

/// A pool of threads that live as long as it does.
final class WorkerPool {
  private let pool: OpaquePointer
  let threads: Int

  /// - Returns: nil when threads cannot be started.
  init?(threads: Int) {
    guard let pool = bnn_pool_create(threads) else { return nil }
    self.pool = pool
    self.threads = threads
  }

  deinit { bnn_pool_destroy(pool) }

  /// Runs the body over 0..<count in pieces of `grain`; `worker` is below `threads`.
  func run(_ count: Int, grain: Int = 1, _ body: (_ piece: Range<Int>, _ worker: Int) -> Void) {
    guard threads > 1, count > grain else {
      if count > 0 { body(0..<count, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var job = Job(body: body)
      withUnsafeMutablePointer(to: &job) {
        bnn_pool_run(
          pool, count, grain,
          { context, begin, end, worker in
            context?.assumingMemoryBound(to: Job.self).pointee.body(begin..<end, worker)
          }, $0)
      }
    }
  }

  private struct Job {
    let body: (Range<Int>, Int) -> Void
  }
}
