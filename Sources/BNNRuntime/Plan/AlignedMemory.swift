#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Raw memory, aligned to 64 bytes and zero at first, that lives as long as its owner.
final class AlignedMemory {
  static let alignment = 64

  let base: UnsafeMutableRawPointer
  private let owner: Owner

  private enum Owner {
    case allocation(UnsafeMutableRawPointer)
    case whole(AlignedMemory)
  }

  /// - Returns: nil when there is not that much.
  init?(byteCount: Int) {
    // `calloc` leaves large memory untouched until it is used.
    let isLarge = byteCount >= AlignedMemory.largePage / 2
    let alignment = isLarge ? AlignedMemory.largePage : AlignedMemory.alignment
    guard byteCount >= 0, byteCount < Int.max - 2 * alignment else { return nil }
    let whole = (byteCount + alignment - 1) / alignment * alignment
    guard let allocation = calloc(whole + alignment, 1) else { return nil }
    owner = .allocation(allocation)
    base = allocation.alignedUp(toMultipleOf: alignment)
    #if os(Linux)
      // Fewer addresses to translate. Where the system has no such pages nothing changes.
      if isLarge { madvise(base, whole, Int32(MADV_HUGEPAGE)) }
    #endif
  }

  /// A part of other memory.
  init(_ whole: AlignedMemory, at offset: Int) {
    base = whole.base + offset
    owner = .whole(whole)
  }

  deinit {
    if case .allocation(let allocation) = owner { free(allocation) }
  }

  /// Memory of as much may lie in pages of this size.
  static let largePage = 2 << 20

  func pointer<T>(to type: T.Type) -> UnsafeMutablePointer<T> {
    base.assumingMemoryBound(to: type)
  }
}

/// How much memory a session may still take.
///
/// Sizes in a file are cheap to claim: everything that is allocated for a model is charged here
/// first.
final class MemoryBudget {
  let limit: Int
  private(set) var used = 0

  init(limit: Int) { self.limit = limit }

  func allocate(_ bytes: Int) throws(RuntimeError) -> AlignedMemory {
    try charge(bytes)
    guard let memory = AlignedMemory(byteCount: bytes) else {
      throw .tooLarge(bytes: bytes, limit: limit)
    }
    return memory
  }

  func charge(_ bytes: Int) throws(RuntimeError) {
    guard bytes >= 0, bytes <= limit - used else {
      let (total, overflow) = used.addingReportingOverflow(bytes)
      throw .tooLarge(bytes: overflow || bytes < 0 ? nil : total, limit: limit)
    }
    used += bytes
  }
}

/// Lays regions out one after the other, each aligned.
struct RegionLayout {
  private(set) var byteCount = 0

  /// - Returns: the offset of a region of this size. Sizes are bounded by what callers checked.
  mutating func add(_ bytes: Int) -> Int {
    let offset = byteCount
    byteCount = RegionLayout.aligned(byteCount + bytes)
    return offset
  }

  static func aligned(_ bytes: Int) -> Int {
    (bytes + AlignedMemory.alignment - 1) & ~(AlignedMemory.alignment - 1)
  }
}
