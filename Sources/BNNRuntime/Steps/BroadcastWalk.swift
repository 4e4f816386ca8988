import BNNTensor

/// How up to three operands are walked together in the order of the result they broadcast to:
/// axes that lie behind each other in all of them are merged.
struct BroadcastWalk {
  private var extents: [Int] = []
  /// Per operand, its step along each merged axis.
  private var steps: [[Int]]
  let count: Int

  init(_ operands: [Shape], result: Shape) {
    count = result.count
    let full = operands.map { $0.steps(broadcastTo: result) }
    steps = operands.map { _ in [] }
    for axis in 0..<result.rank where result[axis] != 1 {
      let merges =
        !extents.isEmpty
        && zip(steps, full).allSatisfy { $0[$0.count - 1] == $1[axis] * result[axis] }
      if merges {
        extents[extents.count - 1] *= result[axis]
      } else {
        extents.append(result[axis])
      }
      for operand in steps.indices {
        if merges { steps[operand].removeLast() }
        steps[operand].append(full[operand][axis])
      }
    }
    if extents.isEmpty {
      extents = [1]
      steps = operands.map { _ in [0] }
    }
  }

  /// The step of an operand inside a run: 0 or 1.
  func step(_ operand: Int) -> Int { steps[operand][extents.count - 1] }

  /// Calls `body` with runs of the result's elements in `range`, along which every operand moves
  /// by its ``step(_:)``, and where the operands start.
  @inline(__always)
  func forEachRun(
    in range: Range<Int>,
    _ body: (_ at: Int, _ count: Int, _ starts: (Int, Int, Int)) -> Void
  ) {
    let length = extents[extents.count - 1]
    var at = range.lowerBound
    while at < range.upperBound {
      let (row, column) = at.quotientAndRemainder(dividingBy: length)
      let count = min(length - column, range.upperBound - at)
      body(
        at, count,
        (start(0, row, column), start(1, row, column), start(2, row, column)))
      at += count
    }
  }

  private func start(_ operand: Int, _ row: Int, _ column: Int) -> Int {
    guard operand < steps.count else { return 0 }
    var rest = row
    var index = column * step(operand)
    for axis in extents.indices.dropLast().reversed() {
      index += rest % extents[axis] * steps[operand][axis]
      rest /= extents[axis]
    }
    return index
  }
}
