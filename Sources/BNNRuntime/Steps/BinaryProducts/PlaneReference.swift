/// What mismatches in bit planes are finished with, by output position: the bases that twice the
/// mismatches are subtracted from, or the bounds that they are compared with for bits.
struct PlaneReference {
  private let bases: AccumulatorBases
  /// [class]
  private let bounds: AlignedMemory?
  private let boundBytes: Int

  /// Where those of each position of a tile begin.
  enum Rows {
    case bases(UnsafePointer<UnsafePointer<Int32>?>)
    case bounds(UnsafePointer<UnsafeRawPointer?>)
  }

  /// For numbers.
  init(_ bases: AccumulatorBases) {
    (self.bases, bounds, boundBytes) = (bases, nil, 0)
  }

  /// For bits of a test of accumulators.
  /// - Parameter most: how many mismatches there may be.
  init(
    _ bases: AccumulatorBases, most: Int, _ test: EpilogueKernel.Test, channels: Int,
    _ context: LayerContext
  ) throws(RuntimeError) {
    self.bases = bases
    boundBytes = EpilogueKernel.Test.boundBytes(channels: channels)
    let (bytes, overflow) = boundBytes.multipliedReportingOverflow(by: bases.classes)
    guard !overflow else { throw .tooLarge(bytes: nil, limit: context.budget.limit) }
    let bounds = try context.budget.allocate(bytes)
    for index in 0..<bases.classes {
      test.packBounds(
        channels: channels, most: most, bases: bases.bases(ofClass: index),
        into: bounds.base + index * boundBytes)
    }
    self.bounds = bounds
  }

  /// Bytes that `rows` needs for this many positions.
  static func scratchBytes(rows: Int) -> Int { rows * MemoryLayout<UnsafeRawPointer?>.stride }

  func rows(_ positions: Range<Int>, scratch: UnsafeMutableRawPointer) -> Rows {
    if let bounds {
      let rows = scratch.assumingMemoryBound(to: UnsafeRawPointer?.self)
      bases.forEachClass(of: positions) {
        rows[$0] = UnsafeRawPointer(bounds.base) + $1 * boundBytes
      }
      return .bounds(rows)
    }
    let rows = scratch.assumingMemoryBound(to: UnsafePointer<Int32>?.self)
    bases.fill(rows, positions: positions, output: 0)
    return .bases(rows)
  }
}
