import CBNNKernels

/// Convolutions with one bit per output (see `bnn_bslice.h`).
struct BitSliceKernel {
  fileprivate let pointer: UnsafePointer<bnn_bslice>
  let name: String

  init(_ pointer: UnsafePointer<bnn_bslice>) {
    self.pointer = pointer
    name = String(cString: pointer.pointee.name)
  }

  struct Shape {
    fileprivate let shape: bnn_bslice_shape

    init(
      _ window: ImageWindow, groups: Int, bitsPerTap: Int, outputsPerGroup: Int,
      outsideIsPlus: Bool
    ) {
      shape = bnn_bslice_shape(
        window: window.window, groups: groups, bits_per_tap: bitsPerTap,
        outputs_per_group: outputsPerGroup, outside_is_plus: outsideIsPlus)
    }
  }

  /// Whether the kernel is a good choice for a convolution, which has taps, channels, outputs and
  /// positions.
  func fits(_ shape: Shape, needsIntegers: Bool) -> Bool {
    withUnsafePointer(to: shape.shape) { bnn_bslice_fits(pointer, $0, needsIntegers) }
  }

  func plan(_ shape: Shape) -> BitSlicePlan {
    BitSlicePlan(withUnsafePointer(to: shape.shape) { bnn_bslice_make_plan(pointer, $0) })
  }
}

/// A shape laid out for a kernel.
struct BitSlicePlan {
  private let plan: bnn_bslice_plan
  let scratchBytes: Int
  let offsetCount: Int
  let weightBytes: Int
  let testWords: Int
  /// Vectors of a line with all its parts, of these words each.
  let lineVectors: Int
  let vectorWords: Int
  /// Words of a position.
  let laneWords: Int
  /// After so many vectors positions begin at a vector again.
  let period: Int
  /// Mismatches at most.
  let inputs: Int
  /// Positions of a part of a line at most.
  let partPositions: Int
  /// Lines, in parts, of an image.
  let lines: Int
  /// Whether mismatches can be had as planes, and of how many lines at a time they should be: then
  /// most groups of positions are whole.
  let takesPlanes: Bool
  let linesOfPlanes: Int

  fileprivate init(_ plan: bnn_bslice_plan) {
    self.plan = plan
    (vectorWords, laneWords) = (plan.kernel.pointee.vector_words, plan.lane_words)
    (period, inputs, partPositions) = (plan.period, plan.inputs, plan.part_positions)
    takesPlanes =
      plan.kernel.pointee.planes != nil && plan.inputs <= Int(bnn_bslice_most_in_planes)
    linesOfPlanes = plan.parts > 1 ? 1 : 8 >> min(3, plan.part_positions.trailingZeroBitCount)
    (scratchBytes, offsetCount, weightBytes, testWords, lineVectors, lines) =
      withUnsafePointer(to: plan) {
        (
          bnn_bslice_scratch_bytes($0), bnn_bslice_offset_count($0),
          bnn_bslice_weight_words($0) * 8, bnn_bslice_test_words($0), bnn_bslice_line_vectors($0),
          bnn_bslice_lines($0)
        )
      }
  }

  func fillOffsets(_ offsets: UnsafeMutablePointer<UInt32>) {
    withUnsafePointer(to: plan) { bnn_bslice_fill_offsets($0, offsets) }
  }

  /// Rows of whole words, one per output, tap after tap without gaps.
  func packWeights(
    _ rows: UnsafePointer<UInt64>, rowWords: Int, into packed: UnsafeMutableRawPointer
  ) {
    withUnsafePointer(to: plan) {
      bnn_bslice_pack_weights(
        $0, rows, rowWords, packed.assumingMemoryBound(to: UInt64.self))
    }
  }

  /// Bounds of the mismatches of the outputs of one vector.
  struct Bounds {
    var fewest: [UInt32]
    var most: [UInt32]
    var outsideIsPlus: [UInt64]

    /// Nothing but 0 bits.
    init(_ plan: BitSlicePlan) {
      fewest = [UInt32](repeating: 0, count: 64 * plan.vectorWords)
      most = [UInt32](repeating: UInt32(plan.inputs), count: 64 * plan.vectorWords)
      outsideIsPlus = [UInt64](repeating: .max, count: plan.vectorWords)
    }
  }

  /// - Returns: whether outputs have two bounds.
  func packTest(_ bounds: Bounds, into packed: UnsafeMutablePointer<UInt64>) -> Bool {
    withUnsafePointer(to: plan) {
      bnn_bslice_pack_test($0, bounds.fewest, bounds.most, bounds.outsideIsPlus, packed)
    }
  }

  func begin(_ scratch: UnsafeMutableRawPointer) {
    withUnsafePointer(to: plan) { bnn_bslice_begin($0, scratch) }
  }

  /// The positions of a line.
  func positions(line: Int) -> Range<Int> {
    let at = withUnsafePointer(to: plan) { bnn_bslice_line_at($0, line) }
    return at.position..<(at.position + at.count)
  }

  struct Operands {
    fileprivate var operands: bnn_bslice_operands

    init(
      offsets: UnsafePointer<UInt32>, weights: UnsafeRawPointer, input: UnsafePointer<UInt64>
    ) {
      operands = bnn_bslice_operands(
        offsets: offsets, weights: weights.assumingMemoryBound(to: UInt64.self), input: input)
    }
  }

  /// A test per vector of each line of an image.
  struct Tests {
    fileprivate var tests: bnn_bslice_tests

    init(
      packed: UnsafePointer<UInt64>, index: UnsafePointer<UInt32>, hasLower: Bool
    ) {
      tests = bnn_bslice_tests(packed: packed, index: index, has_lower: hasLower)
    }
  }

  /// Writes the bits of lines to their place among those of all positions.
  func bits(
    _ operands: Operands, lines: Range<Int>, scratch: UnsafeMutableRawPointer, _ tests: Tests,
    to out: UnsafeMutablePointer<UInt64>
  ) {
    withUnsafePointer(to: plan) { plan in
      withUnsafePointer(to: operands.operands) { operands in
        withUnsafePointer(to: tests.tests) {
          bnn_bslice_bits(
            plan, operands, lines.lowerBound, lines.upperBound, scratch, $0, out)
        }
      }
    }
  }

  /// Bytes of the planes of some positions.
  func planeBytes(positions: Int) -> Int {
    (positions + 7) / 8 * laneWords * MemoryLayout<bnn_planes>.stride
  }

  /// Clears what `planes` does not write, once for all lines that are written to the same place.
  func clearPlanes(positions: Int, _ planes: UnsafeMutableRawPointer) {
    withUnsafePointer(to: plan) {
      bnn_bslice_clear_planes($0, positions, planes.assumingMemoryBound(to: bnn_planes.self))
    }
  }

  /// Writes the planes of a line, whose first position is the one of that number there.
  func planes(
    _ operands: Operands, line: Int, scratch: UnsafeMutableRawPointer, position: Int,
    to planes: UnsafeMutableRawPointer
  ) {
    withUnsafePointer(to: plan) { plan in
      withUnsafePointer(to: operands.operands) {
        bnn_bslice_planes(
          plan, $0, line, scratch, position, planes.assumingMemoryBound(to: bnn_planes.self))
      }
    }
  }

  /// Writes the accumulators of a line.
  func integers(
    _ operands: Operands, line: Int, scratch: UnsafeMutableRawPointer,
    bases: UnsafePointer<UnsafePointer<Int32>?>, to out: UnsafeMutablePointer<Int32>
  ) {
    withUnsafePointer(to: plan) { plan in
      withUnsafePointer(to: operands.operands) {
        bnn_bslice_integers(plan, $0, line, scratch, bases, out)
      }
    }
  }
}
