import BNNFormat

/// Offsets of the values in one arena: values that are never alive together share memory.
struct MemoryPlan {
  /// Per storage.
  private(set) var offsets: [Int]
  private(set) var byteCount = 0

  /// A region that is needed from step `first` to step `last`, both included. `first` rises from
  /// region to region.
  struct Region {
    var byteCount: Int
    var first: Int
    var last: Int
  }

  /// First fit in the order in which the regions come to life.
  init(_ regions: [Region]) throws(MemoryPlanOverflow) {
    offsets = [Int](repeating: 0, count: regions.count)
    // Alive now, in ascending order of offsets.
    var alive: [(offset: Int, end: Int, last: Int)] = []
    for (index, region) in regions.enumerated() {
      alive.removeAll { $0.last < region.first }
      var offset = 0
      var position = alive.count
      let size = RegionLayout.aligned(region.byteCount)
      for (place, other) in alive.enumerated() {
        if other.offset - offset >= size {
          position = place
          break
        }
        offset = max(offset, other.end)
      }
      let (end, overflow) = offset.addingReportingOverflow(size)
      guard !overflow else { throw MemoryPlanOverflow() }
      offsets[index] = offset
      byteCount = max(byteCount, end)
      alive.insert((offset, end, region.last), at: position)
    }
  }
}

struct MemoryPlanOverflow: Error {}
