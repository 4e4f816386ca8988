import CBNNKernels

/// Rows of bits where they lie, in halves of words (see `bnn_bit_rows`).
struct BitRows {
  var count: Int
  var halves: Int
  var rows: UnsafePointer<UnsafePointer<UInt32>?>
  var offsets: UnsafePointer<UInt32>

  fileprivate var source: bnn_bit_rows {
    bnn_bit_rows(count: count, halves: halves, rows: rows, offsets: offsets)
  }
}

/// What the choice between the designs of a product depends on.
struct BinaryProductShape {
  var rows: Int
  /// Of each group, as the bits per tap.
  var outputs: Int
  var taps: Int
  var bitsPerTap: Int
  var groups = 1
  /// Whether accumulators are only tested for bits.
  var isTested: Bool

  /// Words of K.
  var words: Int { (taps * bitsPerTap + 63) / 64 }

  /// The same with two groups as one, whose words of K have the bits of one tap of both; nil where
  /// these do not fill a word.
  fileprivate var joiningTwo: BinaryProductShape? {
    guard bitsPerTap == 32, outputs == 32, groups % 2 == 0 else { return nil }
    var shape = self
    (shape.groups, shape.outputs, shape.bitsPerTap) = (groups / 2, 64, 64)
    return shape
  }
}

/// A kernel, and how many groups it multiplies at once, as one whose words of K have the bits of one
/// tap of each.
struct BinaryProductDesign {
  var kernel: BinaryProductKernel
  var groupsAtOnce = 1
}

/// A way to multiply all groups of a shape, about how many cycles it takes, and the bytes of its
/// weights.
struct BinaryProductCandidate {
  let design: BinaryProductDesign
  let cycles: Double
  let weightBytes: Int

  fileprivate init(
    _ kernel: BinaryProductKernel, _ shape: BinaryProductShape, groupsAtOnce: Int = 1
  ) {
    design = BinaryProductDesign(kernel: kernel, groupsAtOnce: groupsAtOnce)
    cycles = Double(shape.groups) * kernel.cycles(of: shape)
    weightBytes = StepWork.product(
      shape.groups, kernel.weightBytes(outputs: shape.outputs, words: shape.words))
  }
}

/// A binary matrix product (see `bnn_bgemm.h`).
struct BinaryProductKernel {
  private let kernel: bnn_bgemm
  let name: String
  /// How many halves times outputs take about as long as gathering one row.
  let halvesPerGather: Int

  init(_ pointer: UnsafePointer<bnn_bgemm>) {
    kernel = pointer.pointee
    name = String(cString: kernel.name)
    halvesPerGather = kernel.halves_per_gather
  }

  /// Those that this CPU runs, best first.
  static var supported: [BinaryProductKernel] {
    all { bnn_isa_supported($0) }
  }

  /// Those of instruction sets.
  static func all(where includes: (bnn_isa) -> Bool) -> [BinaryProductKernel] {
    (0..<bnn_bgemm_count()).compactMap { bnn_bgemm_at($0) }
      .filter { includes($0.pointee.isa) }.map { BinaryProductKernel($0) }
  }

  /// About how many cycles a product takes (see `bnn_bgemm_cost`).
  func cycles(of shape: BinaryProductShape) -> Double {
    withUnsafePointer(to: kernel) {
      bnn_bgemm_cycles(
        $0,
        bnn_bgemm_shape(
          rows: shape.rows, outputs: shape.outputs, words: shape.words, is_tested: shape.isTested,
          is_grouped: shape.groups > 1))
    }
  }

  /// The ways to multiply all groups of a shape.
  func designs(for shape: BinaryProductShape) -> [BinaryProductCandidate] {
    var designs = [BinaryProductCandidate(self, shape)]
    if let joined = shape.joiningTwo, let kernel = kernel.of_two_groups {
      designs.append(BinaryProductCandidate(BinaryProductKernel(kernel), joined, groupsAtOnce: 2))
    }
    return designs
  }

  /// Rows that are best multiplied at a time.
  var bestRows: Int { kernel.best_rows }
  /// Outputs that are best multiplied at a time; nil where that is all.
  var bestOutputs: Int? { kernel.best_outputs == 0 ? nil : kernel.best_outputs }

  /// Also where the weights of the outputs after these begin, if these are a multiple of 64.
  func weightBytes(outputs: Int, words: Int) -> Int { kernel.weight_bytes(outputs, words) }

  func packWeights(
    outputs: Int, words: Int, rows: UnsafePointer<UInt64>, into packed: UnsafeMutableRawPointer
  ) {
    kernel.pack_weights(outputs, words, rows, packed)
  }

  /// Words of K whose mismatches it counts in bit planes; 0 where it does not.
  var mostCountedWords: Int { kernel.count == nil ? 0 : kernel.most_counted_words }
  /// For fewer outputs integers are faster.
  var fewestCountedOutputs: Int { kernel.fewest_counted_outputs }

  /// Bytes of the planes of rows and outputs.
  static func planeBytes(rows: Int, outputs: Int) -> Int {
    (rows + 7) / 8 * ((outputs + 63) / 64) * MemoryLayout<bnn_planes>.stride
  }

  /// Counts mismatches in bit planes, and asks for the weights that follow.
  func count(
    _ rows: BitRows, arranged: UnsafeRawPointer, outputs: Int, packedWeights: UnsafeRawPointer,
    next: UnsafeRawPointer?, into planes: UnsafeMutableRawPointer
  ) {
    var source = rows.source
    kernel.count?(
      &source, arranged, outputs, packedWeights, next,
      planes.assumingMemoryBound(to: bnn_planes.self))
  }

  /// Bytes of arranged rows.
  func arrangedBytes(rows: Int, words: Int) -> Int { kernel.arranged_bytes?(rows, words) ?? 0 }

  /// How many halves of words groups lie apart whose rows it is faster to arrange two at a time; nil
  /// where that is none.
  var halvesOfTwo: Int? { kernel.arrange_two == nil ? nil : kernel.halves_apart }

  /// Prepares the rows of a group, and of the one after it, which lie so far apart.
  func arrangeTwo(_ rows: BitRows, into arranged: UnsafeMutableRawPointer) {
    var source = rows.source
    kernel.arrange_two?(&source, arranged)
  }

  /// Prepares rows for products with any outputs.
  func arrange(_ rows: BitRows, into arranged: UnsafeMutableRawPointer) {
    var source = rows.source
    kernel.arrange?(&source, arranged)
  }

  func multiply(
    _ rows: BitRows, arranged: UnsafeRawPointer, outputs: Int, packedWeights: UnsafeRawPointer,
    next: UnsafeRawPointer?, bases: UnsafePointer<UnsafePointer<Int32>?>,
    out: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    var source = rows.source
    kernel.multiply(&source, arranged, outputs, packedWeights, next, bases, out, stride)
  }
}
