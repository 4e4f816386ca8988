import BNNTensor

/// Picks positions along the last axis, in any order.
final class GatherChannelsStep: ExecutionStep {
  private let input: Buffer
  private let output: Buffer
  /// Neighbours that stay neighbours move together.
  private let runs: [Run]

  private struct Run {
    var from: Int
    var to: Int
    var count: Int
  }

  init(_ indices: [Int], _ context: LayerContext) {
    input = context.inputs[0]
    output = context.outputs[0]
    var runs: [Run] = []
    for (to, from) in indices.enumerated() {
      if let last = runs.last, last.from + last.count == from {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(from: from, to: to, count: 1))
      }
    }
    self.runs = runs
  }

  var work: StepWork { StepWork() }

  func run(_ execution: Execution) {
    execution.pool.run(output.rows, grain: max(1, 4096 / max(output.channels, 1))) { rows, _ in
      for row in rows {
        if output.type == .sign {
          gatherBits(row: row, execution)
        } else {
          gatherFloats(row: row, execution)
        }
      }
    }
  }

  private func gatherFloats(row: Int, _ execution: Execution) {
    let from = input.floats(execution) + row * input.channels
    let to = output.floats(execution) + row * output.channels
    for run in runs { (to + run.to).update(from: from + run.from, count: run.count) }
  }

  private func gatherBits(row: Int, _ execution: Execution) {
    let from = input.bits(execution) + row * input.words
    let to = output.bits(execution) + row * output.words
    to.update(repeating: 0, count: output.words)
    for run in runs { BitKernel.copy(run.count, from: from, at: run.from, to: to, at: run.to) }
  }
}
