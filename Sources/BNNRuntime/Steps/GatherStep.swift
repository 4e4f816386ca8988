import BNNTensor

/// Picks positions along an axis, in any order.
///
/// Where the positions are constant and the axis is the last, neighbours that stay neighbours move
/// together: channel shuffles of bits are made of few such runs.
final class GatherStep: ExecutionStep {
  private let axis: Int
  private let input: Buffer
  private let indices: Buffer
  private let output: Buffer
  private let layer: String
  private let runs: [Run]?

  private struct Run {
    var from: Int
    var to: Int
    var count: Int
  }

  init(axis: Int, _ context: LayerContext) throws(RuntimeError) {
    self.axis = axis
    input = context.inputs[0]
    indices = context.inputs[1]
    output = context.outputs[0]
    layer = context.layer.name
    guard let constant = context.constants[1], axis == input.shape.rank - 1 else {
      runs = nil
      return
    }
    var runs: [Run] = []
    for (to, index) in constant.integers.enumerated() {
      let from = try GatherStep.position(Int(index), input.shape[axis], layer)
      if let last = runs.last, last.from + last.count == from {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(from: from, to: to, count: 1))
      }
    }
    self.runs = runs
  }

  /// Negative indices count from the end.
  private static func position(
    _ index: Int, _ extent: Int, _ layer: String
  ) throws(RuntimeError) -> Int {
    guard index >= -extent, index < extent else {
      throw .indexOutOfRange(layer: layer, index: index, extent: extent)
    }
    return index < 0 ? index + extent : index
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) throws(RuntimeError) {
    if let runs {
      guard output.count > 0 else { return }
      let rows = input.rows
      let length = indices.count
      execution.pool.run(rows, grain: max(1, 4096 / length)) { rows, _ in
        for row in rows { gather(runs, row: row, execution) }
      }
      return
    }
    // Checked before anything is read: also where nothing is picked.
    for at in 0..<indices.count {
      _ = try GatherStep.position(index(at, execution), input.shape[axis], layer)
    }
    guard output.count > 0 else { return }
    if input.type == .sign, axis == input.shape.rank - 1 {
      gatherSingleBits(execution)
    } else {
      gatherBlocks(execution)
    }
  }

  @inline(__always)
  private func index(_ at: Int, _ execution: Execution) -> Int {
    indices.type == .int32
      ? Int(indices.elements(Int32.self, execution)[at])
      : Int(indices.elements(Int64.self, execution)[at])
  }

  private func gather(_ runs: [Run], row: Int, _ execution: Execution) {
    if let bytes = input.elementBytes {
      let from = execution.arena + input.offset + row * input.channels * bytes
      let to = execution.arena + output.offset + row * indices.count * bytes
      for run in runs {
        (to + run.to * bytes).copyMemory(
          from: from + run.from * bytes, byteCount: run.count * bytes)
      }
      return
    }
    // Bits: constant indices of one axis; a row of the output is a row of the input's.
    let from = input.bits(execution) + row * input.words
    let to = output.bits(execution) + row * output.words
    to.update(repeating: 0, count: output.words)
    for run in runs { BitKernel.copy(run.count, from: from, at: run.from, to: to, at: run.to) }
  }

  /// Along the last axis of bits, one at a time.
  private func gatherSingleBits(_ execution: Execution) {
    let extent = input.channels
    execution.pool.run(output.rows, grain: max(1, 1024 / output.channels)) { rows, _ in
      for row in rows {
        let to = output.bits(execution) + row * output.words
        to.update(repeating: 0, count: output.words)
        for channel in 0..<output.channels {
          // The element's place among those of the input's row and the list of indices.
          let (inputRow, at) = (row * output.channels + channel)
            .quotientAndRemainder(dividingBy: indices.count)
          let position = index(at, execution)
          BitKernel.copy(
            1, from: input.bits(execution) + inputRow * input.words,
            at: position < 0 ? position + extent : position, to: to, at: channel)
        }
      }
    }
  }

  /// Everything behind the axis moves together: whole elements, or whole rows of bits.
  private func gatherBlocks(_ execution: Execution) {
    let extent = input.shape[axis]
    let outer = input.shape.dimensions[..<axis].reduce(1, *)
    let bytes = input.byteCount / (outer * extent)
    let count = indices.count
    execution.pool.run(outer * count, grain: max(1, 16384 / max(bytes, 1))) { blocks, _ in
      for block in blocks {
        let (row, at) = block.quotientAndRemainder(dividingBy: count)
        let position = index(at, execution)
        let from = row * extent + (position < 0 ? position + extent : position)
        (execution.arena + output.offset + block * bytes)
          .copyMemory(from: execution.arena + input.offset + from * bytes, byteCount: bytes)
      }
    }
  }
}
