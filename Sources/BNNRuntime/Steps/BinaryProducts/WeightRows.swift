import BNNTensor

/// The ±1 weights of a convolution as one row of bits per output channel.
struct WeightRows {
  let depth: Int
  /// All weights as the file has them, without gaps between rows.
  private let dense: [UInt64]

  /// Bytes of all bits.
  let byteCount: Int

  init(_ packed: PackedTensor, outputs: Int, depth: Int) {
    self.depth = depth
    byteCount = packed.bytes.count
    var dense = [UInt64](repeating: 0, count: (packed.bytes.count + 7) / 8)
    dense.withUnsafeMutableBytes { $0.copyBytes(from: packed.bytes) }
    self.dense = dense
  }

  /// Rows of some outputs, each of whole words, in which every `run` bits begin on half a word; 0 in
  /// between.
  func withWords(
    of outputs: Range<Int>, run: Int, _ body: (UnsafePointer<UInt64>) -> Void
  ) {
    let runBits = (run + 31) / 32 * 32
    let words = ((run == 0 ? 0 : depth / run) * runBits + 63) / 64
    withRows(of: outputs, words: words, run: run, body) { _, index in index * runBits }
  }

  /// Rows of the outputs of several groups, of `size` each, with one word for every tap, in which the
  /// `size` bits of each group have a place of their own; 0 but for the output's own group.
  func withWords(
    of outputs: Range<Int>, groupSize size: Int, _ body: (UnsafePointer<UInt64>) -> Void
  ) {
    withRows(of: outputs, words: depth / size, run: size, body) { row, index in
      index * 64 + row % 64 / size * size
    }
  }

  /// - Parameter place: the bit of a row that a run begins at.
  private func withRows(
    of outputs: Range<Int>, words: Int, run: Int, _ body: (UnsafePointer<UInt64>) -> Void,
    place: (_ row: Int, _ run: Int) -> Int
  ) {
    let runs = run == 0 ? 0 : depth / run
    var rows = [UInt64](repeating: 0, count: outputs.count * words + 1)
    rows.withUnsafeMutableBufferPointer { rows in
      dense.withUnsafeBufferPointer { dense in
        guard let to = rows.baseAddress else { return }
        if let from = dense.baseAddress {
          for (row, output) in outputs.enumerated() {
            for index in 0..<runs {
              BitKernel.copy(
                run, from: from, at: output * depth + index * run, to: to,
                at: row * words * 64 + place(row, index))
            }
          }
        }
        body(to)
      }
    }
  }

  /// The set bits among `count` from `index` on of an output.
  func plusCount(output: Int, from index: Int, count: Int) -> Int {
    var bit = output * depth + index
    let end = bit + count
    var sum = 0
    while bit < end {
      let part = min(64 - bit % 64, end - bit)
      let mask = part == 64 ? UInt64.max : (1 << UInt64(part)) - 1
      sum += (dense[bit / 64] >> UInt64(bit % 64) & mask).nonzeroBitCount
      bit += part
    }
    return sum
  }
}
