import BNNTensor

/// The integer part of a binary convolution: the sums of products of ±1 under the window of each
/// output position.
protocol BinaryProduct: AnyObject {
  var kernelName: String { get }
  /// Bytes that each worker needs.
  var scratchBytes: Int { get }
  /// The positions of a call at most, and the outputs that are best asked for at a time.
  var tile: BinaryTile { get }
  /// Writes a row of accumulators of some outputs for each position: of all, or of those of the
  /// tile, one part after the other.
  func multiply(
    _ positions: Range<Int>, outputs: Range<Int>, into accumulators: UnsafeMutablePointer<Int32>,
    scratch: UnsafeMutableRawPointer, _ execution: Execution)
  /// Whether it can count mismatches in bit planes, those of its tile at a time.
  var countsInPlanes: Bool { get }
  /// Writes planes instead of accumulators.
  func count(
    _ positions: Range<Int>, outputs: Range<Int>, into planes: UnsafeMutableRawPointer,
    scratch: UnsafeMutableRawPointer, _ execution: Execution)
}

extension BinaryProduct {
  var countsInPlanes: Bool { false }
  func count(
    _ positions: Range<Int>, outputs: Range<Int>, into planes: UnsafeMutableRawPointer,
    scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {}
}

/// How many positions and outputs a product computes at a time.
struct BinaryTile {
  var rows: Int
  var outputs: Int

  /// Accumulators of all outputs take about 16 KiB, but epilogues take eight rows together; no tile
  /// is so large that threads are idle.
  init(outputs: Int, positions: Int, threads: Int) {
    let share = (positions + threads - 1) / threads
    rows = max(1, min(max(4096 / max(outputs, 1), 8), 32, share))
    self.outputs = outputs
  }

  /// Whole groups of rows of a kernel, about the same number in each tile.
  init(rows: Int, of positions: Int, multiple: Int, outputs: Int, threads: Int) {
    let tiles = max((positions + rows - 1) / rows, threads, 1)
    let share = (positions + tiles - 1) / tiles
    self.rows = max((share + multiple - 1) / multiple * multiple, 1)
    self.outputs = outputs
  }
}

/// What all products of a convolution are made from.
struct BinaryProductSource {
  let input: Buffer
  let plan: WindowPlan
  let groups: Int
  let outputs: Int
  let outsideIsPlus: Bool
  let weights: WeightRows
  let bases: AccumulatorBases
  let threads: Int
  /// Whether accumulators are only tested for bits.
  let isTested: Bool

  var outputsPerGroup: Int { outputs / groups }
  var bitsPerTap: Int { input.channels / groups }
}
