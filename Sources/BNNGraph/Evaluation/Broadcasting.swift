import BNNTensor

/// How two operands are walked together: the result's dimensions, neighbours merged where both
/// operands allow it, with both operands' strides (0 where one is repeated).
struct BroadcastPlan {
  private var extents: [Int] = []
  private var aStrides: [Int] = []
  private var bStrides: [Int] = []
  let count: Int

  /// The result's shape must be that of both operands broadcast together.
  init(_ a: Shape, _ b: Shape, result: Shape) {
    count = result.count
    let aFull = StridedLayout(broadcasting: a, to: result).strides
    let bFull = StridedLayout(broadcasting: b, to: result).strides
    for axis in 0..<result.rank where result[axis] != 1 {
      if let last = extents.indices.last,
        aStrides[last] == aFull[axis] * result[axis], bStrides[last] == bFull[axis] * result[axis]
      {
        extents[last] *= result[axis]
        aStrides[last] = aFull[axis]
        bStrides[last] = bFull[axis]
      } else {
        extents.append(result[axis])
        aStrides.append(aFull[axis])
        bStrides.append(bFull[axis])
      }
    }
    if extents.isEmpty { (extents, aStrides, bStrides) = ([1], [0], [0]) }
  }

  /// The result of a function of one element of each.
  @inline(__always)
  func map<A, B, R>(_ a: [A], _ b: [B], _ body: (A, B) -> R) -> [R] {
    guard count > 0 else { return [] }
    let rowLength = extents[extents.count - 1]
    let (aStep, bStep) = (aStrides[aStrides.count - 1], bStrides[bStrides.count - 1])
    return [R](unsafeUninitializedCapacity: count) { result, initialized in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          guard let a = a.baseAddress, let b = b.baseAddress, var y = result.baseAddress else {
            return
          }
          forEachRow { aStart, bStart in
            let (a, b) = (a + aStart, b + bStart)
            let (firstA, firstB) = (a[0], b[0])
            // Steps that are known let the compiler vectorize.
            switch (aStep, bStep) {
            case (1, 1): for at in 0..<rowLength { (y + at).initialize(to: body(a[at], b[at])) }
            case (1, 0): for at in 0..<rowLength { (y + at).initialize(to: body(a[at], firstB)) }
            case (0, 1): for at in 0..<rowLength { (y + at).initialize(to: body(firstA, b[at])) }
            default:
              for at in 0..<rowLength {
                (y + at).initialize(to: body(a[at * aStep], b[at * bStep]))
              }
            }
            y += rowLength
          }
          initialized = count
        }
      }
    }
  }

  private func forEachRow(_ body: (Int, Int) -> Void) {
    var counter = [Int](repeating: 0, count: extents.count - 1)
    var (aStart, bStart) = (0, 0)
    while true {
      body(aStart, bStart)
      var axis = counter.count - 1
      while axis >= 0 {
        counter[axis] += 1
        aStart += aStrides[axis]
        bStart += bStrides[axis]
        if counter[axis] < extents[axis] { break }
        aStart -= counter[axis] * aStrides[axis]
        bStart -= counter[axis] * bStrides[axis]
        counter[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
