import BNNTensor

/// A value with elements around it.
final class PadStep: ExecutionStep {
  private let mode: PadMode
  private let begin: [Int]
  /// The positions of the input, for each axis, that are not cropped.
  private let kept: [Range<Int>]
  private let input: Buffer
  /// The one element of constant padding.
  private let value: Buffer?
  private let output: Buffer

  init(_ mode: PadMode, begin: [Int], _ context: LayerContext) {
    self.mode = mode
    self.begin = begin
    input = context.inputs[0]
    value = context.inputs.count > 1 ? context.inputs[1] : nil
    output = context.outputs[0]
    let (from, to) = (input.shape, output.shape)
    kept = begin.indices.map { axis in
      let end = to[axis] - from[axis] - begin[axis]
      return mode.kept(begin: begin[axis], end: end, extent: from[axis])
    }
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    guard output.count > 0 else { return }
    switch output.elementBytes {
    case 1: run(UInt8.self, zero: 0, execution)
    case 4: run(UInt32.self, zero: 0, execution)
    default: run(UInt64.self, zero: 0, execution)
    }
  }

  private func run<T: BitwiseCopyable>(_ type: T.Type, zero: T, _ execution: Execution) {
    let fill = value.map { $0.elements(type, execution)[0] } ?? zero
    let from = UnsafePointer(input.elements(type, execution))
    let to = output.elements(type, execution)
    let length = output.channels
    execution.pool.run(output.rows, grain: max(1, 4096 / length)) { rows, _ in
      for row in rows {
        let target = to + row * length
        if let source = sourceRow(of: row) {
          copyRow(from + source * input.channels, to: target, fill)
        } else {
          target.update(repeating: fill, count: length)
        }
      }
    }
  }

  /// The row of the input that a row of the output shows; nil for constant padding.
  private func sourceRow(of row: Int) -> Int? {
    var rest = row
    var source = 0
    var rowsInside = 1
    for axis in (0..<max(output.shape.rank - 1, 0)).reversed() {
      let position = rest % output.shape[axis] - begin[axis]
      rest /= output.shape[axis]
      guard let inside = mode.source(of: position, in: kept[axis]) else { return nil }
      source += inside * rowsInside
      rowsInside *= input.shape[axis]
    }
    return source
  }

  private func copyRow<T: BitwiseCopyable>(
    _ from: UnsafePointer<T>, to: UnsafeMutablePointer<T>, _ fill: T
  ) {
    guard let before = begin.last, let kept = kept.last else {
      to[0] = from[0]
      return
    }
    let length = output.channels
    let first = min(max(0, before), length)
    let end = min(length, first + kept.count)
    for at in 0..<first { to[at] = element(from, at - before, kept, fill) }
    (to + first).update(from: from + kept.lowerBound, count: end - first)
    for at in end..<length { to[at] = element(from, at - before, kept, fill) }
  }

  @inline(__always)
  private func element<T: BitwiseCopyable>(
    _ from: UnsafePointer<T>, _ position: Int, _ kept: Range<Int>, _ fill: T
  ) -> T {
    mode.source(of: position, in: kept).map { from[$0] } ?? fill
  }
}
