import CBNNKernels

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
  /// How many halves times outputs take about as long as gathering one row.
  let halvesPerGather: Int

  init(_ pointer: UnsafePointer<bnn_bgemm>) {
    kernel = pointer.pointee
    name = String(cString: kernel.name)
    scratchBytesPerWord = kernel.scratch_bytes_per_word
    halvesPerGather = kernel.halves_per_gather
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
