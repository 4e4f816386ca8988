import CBNNKernels

/// The chosen kernel of each family.
///
/// The only file that calls into `CBNNKernels`; everything else speaks of kernels through it.
struct Kernels {
  let binaryProduct: BinaryProductKernel
  let floatProduct: FloatProductKernel
  let byteProduct: ByteProductKernel
  let pointwise: PointwiseKernel
  let epilogue: EpilogueKernel
  let gather: GatherKernel
  let windowPool: WindowPoolKernel
  let bits: BitKernel

  fileprivate init(isa: bnn_isa) {
    binaryProduct = BinaryProductKernel(bnn_bgemm_best(isa))
    floatProduct = FloatProductKernel(bnn_fgemm_best(isa))
    byteProduct = ByteProductKernel(bnn_igemm_best(isa))
    pointwise = PointwiseKernel(bnn_pointwise_best(isa))
    epilogue = EpilogueKernel(bnn_epilogue_best(isa))
    gather = GatherKernel(bnn_gather_best(isa))
    windowPool = WindowPoolKernel(bnn_windowpool_best(isa))
    bits = BitKernel(bnn_bits_best(isa))
  }

  /// The kernels of a choice, or nil when this CPU cannot run them.
  init?(_ choice: KernelChoice) {
    let isa: bnn_isa =
      switch choice {
      case .best: bnn_isa_best()
      case .scalar: BNN_ISA_SCALAR
      case .avx2: BNN_ISA_AVX2
      case .avx512: BNN_ISA_AVX512
      case .avx512vnni: BNN_ISA_AVX512_VNNI
      case .avx512vpopcntdq: BNN_ISA_AVX512_VPOPCNTDQ
      }
    guard bnn_isa_supported(isa) else { return nil }
    self.init(isa: isa)
  }

  /// Names in the order of the properties.
  var names: [String] {
    [
      binaryProduct.name, floatProduct.name, byteProduct.name, pointwise.name, epilogue.name,
      gather.name, windowPool.name, bits.name,
    ]
  }
}

/// Rows of bits where they lie, in halves of words (see `bnn_bit_rows`).
struct BitRows {
  var count: Int
  var halves: Int
  var rows: UnsafePointer<UnsafePointer<UInt32>?>
  var offsets: UnsafePointer<UInt32>
}

/// A binary matrix product (see `bnn_bgemm.h`).
struct BinaryProductKernel {
  private let kernel: bnn_bgemm
  let name: String
  /// Bytes per word of each row that a product needs as scratch.
  let scratchBytesPerWord: Int

  fileprivate init(_ pointer: UnsafePointer<bnn_bgemm>) {
    kernel = pointer.pointee
    name = String(cString: kernel.name)
    scratchBytesPerWord = kernel.scratch_bytes_per_word
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

  func multiply(
    _ rows: BitRows, outputs: Int, packedWeights: UnsafeRawPointer,
    scratch: UnsafeMutableRawPointer, bases: UnsafePointer<UnsafePointer<Int32>?>,
    out: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    var source = bnn_bit_rows(
      count: rows.count, halves: rows.halves, rows: rows.rows, offsets: rows.offsets)
    kernel.multiply(&source, outputs, packedWeights, scratch, bases, out, stride)
  }
}

/// Rows of numbers where they lie (see `bnn_float_rows`).
struct FloatRows {
  var count: Int
  var depth: Int
  var rows: UnsafePointer<UnsafePointer<Float>?>
  var offsets: UnsafePointer<UInt32>
}

/// A float32 matrix product (see `bnn_fgemm.h`).
struct FloatProductKernel {
  private let kernel: bnn_fgemm
  let name: String
  /// Calls with multiples of so many rows lose nothing.
  let rowsPerTile: Int

  fileprivate init(_ pointer: UnsafePointer<bnn_fgemm>) {
    kernel = pointer.pointee
    name = String(cString: kernel.name)
    rowsPerTile = kernel.rows_per_tile
  }

  static var supported: [FloatProductKernel] {
    (0..<bnn_fgemm_count()).compactMap { bnn_fgemm_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { FloatProductKernel($0) }
  }

  static func weightBytes(outputs: Int, depth: Int) -> Int {
    bnn_fgemm_weight_bytes(outputs, depth)
  }

  static func packWeights(
    outputs: Int, depth: Int, rows: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>
  ) {
    bnn_fgemm_pack_weights(outputs, depth, rows, packed)
  }

  func multiply(
    _ rows: FloatRows, outputs: Int, packedWeights: UnsafePointer<Float>,
    out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    var source = bnn_float_rows(
      count: rows.count, depth: rows.depth, rows: rows.rows, offsets: rows.offsets)
    kernel.multiply(&source, outputs, packedWeights, out, stride)
  }
}

/// Rows of bytes where they lie (see `bnn_byte_rows`).
struct ByteRows {
  var count: Int
  /// Groups of four bytes.
  var depth: Int
  var rows: UnsafePointer<UnsafePointer<UInt8>?>
  var offsets: UnsafePointer<UInt32>
}

/// A matrix product of bytes (see `bnn_igemm.h`).
struct ByteProductKernel {
  private let kernel: bnn_igemm
  let name: String
  /// Calls with multiples of so many rows lose nothing.
  let rowsPerTile: Int

  fileprivate init(_ pointer: UnsafePointer<bnn_igemm>) {
    kernel = pointer.pointee
    name = String(cString: kernel.name)
    rowsPerTile = kernel.rows_per_tile
  }

  static var supported: [ByteProductKernel] {
    (0..<bnn_igemm_count()).compactMap { bnn_igemm_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { ByteProductKernel($0) }
  }

  func weightBytes(outputs: Int, depth: Int) -> Int { kernel.weight_bytes(outputs, depth) }

  func packWeights(
    outputs: Int, depth: Int, rows: UnsafePointer<Int8>, into packed: UnsafeMutableRawPointer
  ) {
    kernel.pack_weights(outputs, depth, rows, packed)
  }

  func multiply(
    _ rows: ByteRows, outputs: Int, packedWeights: UnsafeRawPointer,
    bases: UnsafePointer<Int32>, out: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    var source = bnn_byte_rows(
      count: rows.count, depth: rows.depth, rows: rows.rows, offsets: rows.offsets)
    kernel.multiply(&source, outputs, packedWeights, bases, out, stride)
  }

  func quantize(
    _ count: Int, _ from: UnsafePointer<Float>, inverseScale: Float, zero: UInt8,
    to: UnsafeMutablePointer<UInt8>
  ) {
    kernel.quantize(count, from, inverseScale, Int32(zero), to)
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

  func add(_ count: Int, _ a: Source, _ b: Source, to y: Target) { kernel.add(count, a, b, y) }
  func divide(_ count: Int, _ x: Source, by divisor: Float, to y: Target) {
    kernel.divide_scalar(count, x, divisor, y)
  }
  func maximum(_ count: Int, _ a: Source, _ b: Source, to y: Target) {
    kernel.maximum(count, a, b, y)
  }
  func minimum(_ count: Int, _ a: Source, _ b: Source, to y: Target) {
    kernel.minimum(count, a, b, y)
  }
}

/// A step of an epilogue. Parameters per channel are padded to whole blocks of channels.
struct EpilogueStep {
  fileprivate var step: bnn_epilogue_step

  private init(
    _ kind: bnn_epilogue_kind, _ a: UnsafePointer<Float>? = nil, _ b: UnsafePointer<Float>? = nil,
    stride: Int = 0, lower: Float = 0, upper: Float = 0
  ) {
    step = bnn_epilogue_step(kind: kind, a: a, b: b, stride: stride, lower: lower, upper: upper)
  }

  static func affine(scale: UnsafePointer<Float>, bias: UnsafePointer<Float>) -> EpilogueStep {
    EpilogueStep(BNN_EPILOGUE_AFFINE, scale, bias)
  }
  static func slopes(
    positive: UnsafePointer<Float>, negative: UnsafePointer<Float>
  ) -> EpilogueStep {
    EpilogueStep(BNN_EPILOGUE_SLOPES, positive, negative)
  }
  static func clamp(lower: Float, upper: Float) -> EpilogueStep {
    EpilogueStep(BNN_EPILOGUE_CLAMP, lower: lower, upper: upper)
  }
  static var relu: EpilogueStep { EpilogueStep(BNN_EPILOGUE_RELU) }

  /// With another value, of which each row is `stride` elements after the one before it.
  static func combine(
    isProduct: Bool, isScalar: Bool, stride: Int
  ) -> EpilogueStep {
    let kind: bnn_epilogue_kind =
      switch (isProduct, isScalar) {
      case (false, false): BNN_EPILOGUE_ADD
      case (true, false): BNN_EPILOGUE_MULTIPLY
      case (false, true): BNN_EPILOGUE_ADD_SCALAR
      case (true, true): BNN_EPILOGUE_MULTIPLY_SCALAR
      }
    return EpilogueStep(kind, stride: stride)
  }

  /// The other value of `combine`, from the first row on.
  func with(operand: UnsafePointer<Float>) -> EpilogueStep {
    var bound = self
    bound.step.a = operand
    return bound
  }
}

/// Epilogues (see `bnn_epilogue.h`).
struct EpilogueKernel {
  private let kernel: bnn_epilogue
  var name: String { String(cString: kernel.name) }

  /// Channels that are processed together; parameters have whole blocks.
  static let block = 64

  fileprivate init(_ pointer: UnsafePointer<bnn_epilogue>) { kernel = pointer.pointee }

  static var supported: [EpilogueKernel] {
    (0..<bnn_epilogue_count()).compactMap { bnn_epilogue_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { EpilogueKernel($0) }
  }

  /// A test of numbers against an interval per channel.
  struct Test {
    fileprivate var test: bnn_epilogue_test

    init(
      lower: UnsafeRawPointer, upper: UnsafeRawPointer, outsideIsPlus: UnsafePointer<UInt64>
    ) {
      test = bnn_epilogue_test(lower: lower, upper: upper, outside_is_plus: outsideIsPlus)
    }
  }

  enum Source {
    case floats(UnsafePointer<Float>)
    case integers(UnsafePointer<Int32>)

    func advanced(by count: Int) -> Source {
      switch self {
      case .floats(let x): .floats(x + count)
      case .integers(let x): .integers(x + count)
      }
    }
  }

  /// What a result is stored as; bits need a test.
  struct Target {
    var values: UnsafeMutablePointer<Float>?
    var test: Test?
    var bits: UnsafeMutablePointer<UInt64>?
  }

  func run(
    rows: Int, channels: Int, _ source: Source, _ steps: UnsafeBufferPointer<EpilogueStep>,
    to target: Target
  ) {
    let list = UnsafeRawPointer(steps.baseAddress)?
      .assumingMemoryBound(to: bnn_epilogue_step.self)
    var test = target.test?.test ?? bnn_epilogue_test()
    let bits = target.test == nil ? nil : target.bits
    switch source {
    case .floats(let x):
      kernel.floats(rows, channels, x, list, steps.count, target.values, &test, bits)
    case .integers(let x):
      kernel.integers(rows, channels, x, list, steps.count, target.values, &test, bits)
    }
  }

  func test(
    rows: Int, channels: Int, _ x: UnsafePointer<Int32>, _ test: Test,
    to bits: UnsafeMutablePointer<UInt64>
  ) {
    var test = test.test
    kernel.accumulators(rows, channels, x, &test, bits)
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

  /// Where the elements of each tap are, from those of tap 0 (see `bnn_window_offsets`).
  ///
  /// - Returns: how many there are from the first to the last.
  func offsets(
    pixelElements: Int, elements: Int, into offsets: UnsafeMutablePointer<UInt32>
  ) -> Int {
    withUnsafePointer(to: window) { bnn_window_offsets($0, pixelElements, elements, offsets) }
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

  /// Points rows to the input where all taps are inside, and gathers the others (see `rows` in
  /// `bnn_window.h`).
  func rows(
    _ window: ImageWindow, _ input: UnsafeRawPointer, pixelBytes: Int, tapBytes: Int,
    outside: UnsafeRawPointer, positions: Range<Int>,
    to rows: UnsafeMutablePointer<UnsafeRawPointer?>, scratch: UnsafeMutableRawPointer,
    scratchBytes: Int
  ) {
    withUnsafePointer(to: window.window) {
      kernel.rows(
        $0, input, pixelBytes, tapBytes, outside, positions.lowerBound, positions.count, rows,
        scratch, scratchBytes)
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

/// Pools of real values (see `bnn_windowpool.h`).
struct WindowPoolKernel {
  private let kernel: bnn_windowpool
  let name: String

  fileprivate init(_ pointer: UnsafePointer<bnn_windowpool>) {
    kernel = pointer.pointee
    name = String(cString: kernel.name)
  }

  static var supported: [WindowPoolKernel] {
    (0..<bnn_windowpool_count()).compactMap { bnn_windowpool_at($0) }
      .filter { bnn_isa_supported($0.pointee.isa) }.map { WindowPoolKernel($0) }
  }

  func maximum(
    _ window: ImageWindow, _ input: UnsafePointer<Float>, channels: Int, positions: Range<Int>,
    to out: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: window.window) {
      kernel.maximum($0, input, channels, positions.lowerBound, positions.count, out)
    }
  }

  /// `padsEnd` has three entries.
  func average(
    _ window: ImageWindow, _ input: UnsafePointer<Float>, channels: Int, positions: Range<Int>,
    countsPadding: Bool, padsEnd: [Int], to out: UnsafeMutablePointer<Float>
  ) {
    let pads = (Int64(padsEnd[0]), Int64(padsEnd[1]), Int64(padsEnd[2]))
    withUnsafePointer(to: window.window) { window in
      withUnsafeBytes(of: pads) {
        kernel.average(
          window, input, channels, positions.lowerBound, positions.count, countsPadding,
          $0.baseAddress?.assumingMemoryBound(to: Int64.self), out)
      }
    }
  }
}

/// Elements in another order (see `bnn_layout.h`).
enum LayoutKernel {
  static func interleave(
    _ count: Int, planes: Int, _ from: UnsafePointer<UInt32>, planeStep: Int,
    to: UnsafeMutablePointer<UInt32>
  ) {
    bnn_interleave(count, planes, from, planeStep, to)
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
