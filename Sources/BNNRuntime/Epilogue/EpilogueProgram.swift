import BNNTensor

/// An epilogue made ready for a result of a certain shape: parameters per channel, operands by
/// place, outputs by place. It runs on a few rows at a time while they are in the cache.
final class EpilogueProgram {
  let channels: Int
  private let kernels: Kernels
  private let instructions: [Instruction]
  private let values: Buffer?
  private let bits: Buffer?
  private let test: Test?

  private enum Instruction {
    case affine(scale: ParameterList<Float>, bias: ParameterList<Float>)
    case slopes(positive: ParameterList<Float>, negative: ParameterList<Float>)
    case clamp(lower: Float, upper: Float)
    case function(PointwiseFunction)
    case combine(EpilogueOperand, isProduct: Bool)
  }

  private enum Test {
    case floats(ThresholdList<Float>)
    case integers(ThresholdList<Int32>)
  }

  private struct ThresholdList<Bound: BitwiseCopyable> {
    let lower: ParameterList<Bound>
    let upper: ParameterList<Bound>
    let outsideIsPlus: ParameterList<UInt64>
  }

  /// - Parameter ownInputs: how many of the layer's inputs come before the epilogue's operands.
  init(_ epilogue: Epilogue, _ context: LayerContext, ownInputs: Int = 1) throws(RuntimeError) {
    let shape = context.outputs[0].shape
    let channels = context.outputs[0].channels
    self.channels = channels
    kernels = context.kernels
    var instructions: [Instruction] = []
    for step in epilogue.steps {
      switch step {
      case .affine(let scale, let bias):
        instructions.append(
          .affine(
            scale: try context.expanded(scale, channels: channels),
            bias: try context.expanded(bias, channels: channels)))
      case .slopes(let positive, let negative):
        instructions.append(
          .slopes(
            positive: try context.expanded(positive, channels: channels),
            negative: try context.expanded(negative, channels: channels)))
      case .clamp(let lower, let upper):
        instructions.append(.clamp(lower: lower, upper: upper))
      case .function(let function): instructions.append(.function(function))
      case .add(let index), .multiply(let index):
        let buffer = context.inputs[ownInputs + index]
        guard let operand = EpilogueOperand(buffer, result: shape) else {
          throw context.fault(.operandShape(operand: buffer.shape, result: shape))
        }
        if case .multiply = step {
          instructions.append(.combine(operand, isProduct: true))
        } else {
          instructions.append(.combine(operand, isProduct: false))
        }
      }
    }
    self.instructions = instructions
    switch epilogue.output {
    case .values: (values, bits, test) = (context.outputs[0], nil, nil)
    case .bits(let thresholds):
      (values, bits) = (nil, context.outputs[0])
      test = .floats(try EpilogueProgram.list(thresholds, context, channels: channels))
    case .valuesAndBits(let thresholds):
      (values, bits) = (context.outputs[0], context.outputs[1])
      test = .floats(try EpilogueProgram.list(thresholds, context, channels: channels))
    case .accumulatorBits(let thresholds):
      (values, bits) = (nil, context.outputs[0])
      test = .integers(try EpilogueProgram.list(thresholds, context, channels: channels))
    }
  }

  private static func list<Bound: BitwiseCopyable>(
    _ thresholds: Thresholds<Bound>, _ context: LayerContext, channels: Int
  ) throws(RuntimeError) -> ThresholdList<Bound> {
    guard thresholds.upper.count == thresholds.count,
      thresholds.insideIsPlus.count == thresholds.count
    else {
      throw context.fault(
        .parameterCount(expected: thresholds.count, found: thresholds.upper.count))
    }
    return ThresholdList(
      lower: try context.expanded(thresholds.lower, channels: channels),
      upper: try context.expanded(thresholds.upper, channels: channels),
      outsideIsPlus: try context.expandedBits(
        thresholds.insideIsPlus.map { !$0 }, channels: channels))
  }

  /// Bytes that `target` needs of each worker's scratch for tiles of this many rows.
  func scratchBytes(rows: Int) -> Int { values == nil ? rows * channels * 4 : 0 }

  /// Where the core of a step writes real rows before they are finished: the output itself where
  /// it holds real values, otherwise the worker's scratch.
  func target(
    row: Int, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) -> UnsafeMutablePointer<Float> {
    if let values { return values.floats(execution) + row * channels }
    return scratch.assumingMemoryBound(to: Float.self)
  }

  /// Finishes rows of integer accumulators.
  func finish(
    rows: Range<Int>, accumulators: UnsafePointer<Int32>, scratch: UnsafeMutableRawPointer,
    _ execution: Execution
  ) {
    if case .integers(let list) = test, let bits {
      kernels.threshold.test(
        rows: rows.count, channels: channels, accumulators, lower: list.lower.pointer,
        upper: list.upper.pointer, outsideIsPlus: list.outsideIsPlus.pointer,
        to: bits.bits(execution) + rows.lowerBound * bits.words)
      return
    }
    let target = target(row: rows.lowerBound, scratch: scratch, execution)
    kernels.pointwise.convert(rows.count * channels, accumulators, to: target)
    finish(rows: rows, values: target, scratch: scratch, execution)
  }

  /// Finishes rows of real values, which may lie in `target` already.
  func finish(
    rows: Range<Int>, values source: UnsafePointer<Float>, scratch: UnsafeMutableRawPointer,
    _ execution: Execution
  ) {
    let target = target(row: rows.lowerBound, scratch: scratch, execution)
    var current = source
    for instruction in instructions {
      apply(instruction, rows: rows, current, to: target, execution)
      current = UnsafePointer(target)
    }
    if values != nil, current != target {
      target.update(from: current, count: rows.count * channels)
    }
    if case .floats(let list) = test, let bits {
      kernels.threshold.test(
        rows: rows.count, channels: channels, current, lower: list.lower.pointer,
        upper: list.upper.pointer, outsideIsPlus: list.outsideIsPlus.pointer,
        to: bits.bits(execution) + rows.lowerBound * bits.words)
    }
  }

  private func apply(
    _ instruction: Instruction, rows: Range<Int>, _ x: UnsafePointer<Float>,
    to y: UnsafeMutablePointer<Float>, _ execution: Execution
  ) {
    switch instruction {
    case .affine(let scale, let bias):
      kernels.pointwise.affine(
        rows: rows.count, channels: channels, x, scale: scale.pointer, bias: bias.pointer, to: y)
    case .slopes(let positive, let negative):
      kernels.pointwise.slopes(
        rows: rows.count, channels: channels, x, positive: positive.pointer,
        negative: negative.pointer, to: y)
    case .clamp(let lower, let upper):
      kernels.pointwise.clamp(rows.count * channels, x, lower: lower, upper: upper, to: y)
    case .function(.relu): kernels.pointwise.relu(rows.count * channels, x, to: y)
    case .function(let function):
      let count = rows.count * channels
      let results = function.applied(to: Array(UnsafeBufferPointer(start: x, count: count)))
      results.withUnsafeBufferPointer { from in
        if let base = from.baseAddress { y.update(from: base, count: count) }
      }
    case .combine(let operand, let isProduct):
      operand.combine(
        rows: rows, channels: channels, x, isProduct: isProduct, to: y, kernels.pointwise,
        execution)
    }
  }
}
