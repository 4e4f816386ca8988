import BNNTensor

/// The largest or smallest elements along an axis and their places, best first; of equal elements
/// the first. NaN counts as larger than every number.
final class TopKStep: ExecutionStep {
  private let largest: Bool
  private let input: Buffer
  private let values: Buffer
  private let places: Buffer
  private let length: Int
  private let count: Int
  private let stride: Int

  init(axis: Int, count: Int, largest: Bool, _ context: LayerContext) {
    self.largest = largest
    self.count = count
    input = context.inputs[0]
    (values, places) = (context.outputs[0], context.outputs[1])
    length = input.shape[axis]
    stride = input.shape.dimensions[(axis + 1)...].reduce(1, *)
  }

  var scratchBytes: Int { length * MemoryLayout<Int>.stride }
  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    switch input.type {
    case .int32: run(Int32.self, execution) { $0 < $1 }
    case .int64: run(Int64.self, execution) { $0 < $1 }
    default: run(Float.self, execution) { $1.isNaN ? !$0.isNaN : $0 < $1 }
    }
  }

  private func run<T: BitwiseCopyable>(
    _ type: T.Type, _ execution: Execution, _ isLess: (T, T) -> Bool
  ) {
    guard values.count > 0 else { return }
    let (x, y) = (input.elements(type, execution), values.elements(type, execution))
    let z = places.elements(Int64.self, execution)
    execution.pool.run(values.count / count) { lines, worker in
      let order = execution.scratch(worker).assumingMemoryBound(to: Int.self)
      for line in lines {
        let first = x + (line / stride * stride * length + line % stride)
        for position in 0..<length { order[position] = position }
        sort(order) { a, b in
          let (p, q) = (first[a * stride], first[b * stride])
          if largest ? isLess(q, p) : isLess(p, q) { return true }
          return (largest ? isLess(p, q) : isLess(q, p)) ? false : a < b
        }
        let target = line / stride * stride * count + line % stride
        for rank in 0..<count {
          y[target + rank * stride] = first[order[rank] * stride]
          z[target + rank * stride] = Int64(order[rank])
        }
      }
    }
  }

  /// Heap sort: in place, and as fast whatever the order is.
  private func sort(_ list: UnsafeMutablePointer<Int>, _ precedes: (Int, Int) -> Bool) {
    func sink(_ start: Int, _ end: Int) {
      var parent = start
      while 2 * parent + 1 < end {
        var child = 2 * parent + 1
        if child + 1 < end, precedes(list[child], list[child + 1]) { child += 1 }
        guard precedes(list[parent], list[child]) else { return }
        (list[parent], list[child]) = (list[child], list[parent])
        parent = child
      }
    }
    for start in (0..<length / 2).reversed() { sink(start, length) }
    for end in (1..<max(length, 1)).reversed() {
      (list[0], list[end]) = (list[end], list[0])
      sink(0, end)
    }
  }
}
