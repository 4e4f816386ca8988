import CBNNKernels

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

  init(_ pointer: UnsafePointer<bnn_fgemm>) {
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
    outputs: Int, depth: Int, rows: UnsafePointer<Float>, bias: UnsafePointer<Float>? = nil,
    into packed: UnsafeMutablePointer<Float>
  ) {
    bnn_fgemm_pack_weights(outputs, depth, rows, bias, packed)
  }

  /// The same without a bias, from the columns of a matrix of `depth` rows that are `stride` numbers apart.
  static func packColumns(
    _ count: Int, depth: Int, _ matrix: UnsafePointer<Float>, stride: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    bnn_fgemm_pack_columns(count, depth, matrix, stride, packed)
  }

  /// Up to so many outputs have a product of their own, of rows in runs.
  static let fewOutputs = Int(bnn_fgemm_few)

  static func fewWeightBytes(outputs: Int, runs: Int, run: Int) -> Int {
    bnn_fgemm_few_bytes(outputs, runs, run)
  }

  static func packFewWeights(
    outputs: Int, runs: Int, run: Int, rows: UnsafePointer<Float>,
    bias: UnsafePointer<Float>? = nil, into packed: UnsafeMutablePointer<Float>
  ) {
    bnn_fgemm_pack_few(outputs, runs, run, rows, bias, packed)
  }

  /// - Parameter from: where the runs of each row begin.
  func multiplyFew(
    rows: Int, runs: Int, run: Int, from: UnsafePointer<UnsafePointer<Float>?>, outputs: Int,
    packedWeights: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>
  ) {
    var source = bnn_float_runs(count: rows, runs: runs, run: run, from: from)
    kernel.multiply_few(&source, outputs, packedWeights, out, outputs)
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

  init(_ pointer: UnsafePointer<bnn_igemm>) {
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
