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
  private let reader: IndexReader
  private let runs: [Run]?
  /// The positions, where they are constant, the axis is the last and few are neighbours.
  private var positions: ParameterList<UInt32>?

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
    reader = IndexReader(indices, layer: context.layer.name)
    guard let constant = context.constants[1], axis == input.shape.rank - 1 else {
      runs = nil
      return
    }
    var runs: [Run] = []
    let extent = input.shape[axis]
    for (to, index) in constant.integers.enumerated() {
      guard index >= -extent, index < extent else {
        throw .indexOutOfRange(layer: context.layer.name, index: Int(index), extent: extent)
      }
      let from = index < 0 ? Int(index) + extent : Int(index)
      if let last = runs.last, last.from + last.count == from {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(from: from, to: to, count: 1))
      }
    }
    self.runs = runs
    if input.elementBytes == 1 || input.elementBytes == 4, runs.count > indices.count / 4 {
      let list = try context.consecutive(indices.count)
      for run in runs {
        for index in 0..<run.count { list.pointer[run.to + index] = UInt32(run.from + index) }
      }
      positions = list
    }
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
    try reader.check(extents: [input.shape[axis]], execution)
    guard output.count > 0 else { return }
    if input.type == .sign, axis == input.shape.rank - 1 {
      gatherSingleBits(execution)
    } else {
      gatherBlocks(execution)
    }
  }

  private func gather(_ runs: [Run], row: Int, _ execution: Execution) {
    if let positions {
      if input.elementBytes == 1 {
        gather(UInt8.self, positions, row: row, execution)
      } else {
        gather(UInt32.self, positions, row: row, execution)
      }
      return
    }
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

  private func gather<T: BitwiseCopyable>(
    _ type: T.Type, _ positions: ParameterList<UInt32>, row: Int, _ execution: Execution
  ) {
    let from = input.elements(type, execution) + row * input.channels
    let to = output.elements(type, execution) + row * indices.count
    for index in 0..<indices.count { to[index] = from[Int(positions.pointer[index])] }
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
          BitKernel.copy(
            1, from: input.bits(execution) + inputRow * input.words,
            at: reader.position(at, extent: extent, execution), to: to, at: channel)
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
        let from = row * extent + reader.position(at, extent: extent, execution)
        (execution.arena + output.offset + block * bytes)
          .copyMemory(from: execution.arena + input.offset + from * bytes, byteCount: bytes)
      }
    }
  }
}
