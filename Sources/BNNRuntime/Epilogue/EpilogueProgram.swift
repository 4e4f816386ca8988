import BNNTensor

/// An epilogue made ready for a result of a certain shape: parameters per channel, operands by
/// place, outputs by place. It runs on a few rows at a time while they are in the cache.
final class EpilogueProgram {
  let channels: Int
  private let kernel: EpilogueKernel
  private let pointwise: PointwiseKernel
  private let values: Buffer?
  private let bits: Buffer?
  private let test: Test?
  /// Signs of the values, which are made while those are in the cache.
  private let signs: [PieceSigns]
  private let signPrograms: [EpilogueProgram]

  /// What is computed: steps in one go, and functions without a step of their own, which are applied
  /// to stored numbers, after some of them.
  private let beforeFunctions: [(part: Part, function: PointwiseFunction)]
  private let last: Part

  /// Steps that run in one go, and the operands of those that combine, in order.
  private struct Part {
    var steps: [EpilogueStep] = []
    var operands: [(step: Int, operand: EpilogueOperand)] = []
  }

  /// The parameters that steps point to.
  private let parameters: [AlignedMemory]

  private enum Test {
    case floats(EpilogueKernel.Test)
    case integers(EpilogueKernel.Test)
  }

  /// - Parameter ownInputs: how many of the layer's inputs come before the epilogue's operands.
  init(_ epilogue: Epilogue, _ context: LayerContext, ownInputs: Int = 1) throws(RuntimeError) {
    let shape = context.outputs[0].shape
    let channels = context.outputs[0].channels
    self.channels = channels
    signs = context.signs
    signPrograms = context.signPrograms
    kernel = context.kernels.epilogue
    pointwise = context.kernels.pointwise
    switch epilogue.output {
    case .values: (values, bits) = (context.outputs[0], nil)
    case .bits, .accumulatorBits: (values, bits) = (nil, context.outputs[0])
    case .valuesAndBits: (values, bits) = (context.outputs[0], context.outputs[1])
    }
    var parameters: [AlignedMemory] = []
    switch epilogue.output {
    case .values: test = nil
    case .bits(let thresholds), .valuesAndBits(let thresholds):
      test = .floats(
        try EpilogueProgram.test(thresholds, context, channels: channels, &parameters))
    case .accumulatorBits(let thresholds):
      test = .integers(
        try EpilogueProgram.test(thresholds, context, channels: channels, &parameters))
    }
    func list(_ numbers: [Float]) throws(RuntimeError) -> UnsafePointer<Float> {
      let list = try context.expanded(numbers, channels: channels)
      parameters.append(list.memory)
      return UnsafePointer(list.pointer)
    }
    var beforeFunctions: [(part: Part, function: PointwiseFunction)] = []
    var part = Part()
    for step in epilogue.steps {
      switch step {
      case .affine(let scale, let bias):
        part.steps.append(.affine(scale: try list(scale), bias: try list(bias)))
      case .slopes(let positive, let negative):
        part.steps.append(
          .slopes(positive: try list(positive), negative: try list(negative)))
      case .clamp(let lower, let upper):
        part.steps.append(.clamp(lower: lower, upper: upper))
      case .function(.relu): part.steps.append(.relu)
      case .function(let function):
        beforeFunctions.append((part, function))
        part = Part()
      case .add(let index), .multiply(let index):
        let buffer = context.inputs[ownInputs + index]
        guard let operand = EpilogueOperand(buffer, result: shape) else {
          throw context.fault(.operandShape(operand: buffer.shape, result: shape))
        }
        var isProduct = false
        if case .multiply = step { isProduct = true }
        part.operands.append((part.steps.count, operand))
        part.steps.append(
          .combine(isProduct: isProduct, isScalar: operand.isScalar, stride: operand.stride))
      }
    }
    self.beforeFunctions = beforeFunctions
    last = part
    self.parameters = parameters
  }

  private static func test<Bound: BitwiseCopyable>(
    _ thresholds: Thresholds<Bound>, _ context: LayerContext, channels: Int,
    _ parameters: inout [AlignedMemory]
  ) throws(RuntimeError) -> EpilogueKernel.Test {
    guard thresholds.upper.count == thresholds.count,
      thresholds.insideIsPlus.count == thresholds.count
    else {
      throw context.fault(
        .parameterCount(expected: thresholds.count, found: thresholds.upper.count))
    }
    let lower = try context.expanded(thresholds.lower, channels: channels)
    let upper = try context.expanded(thresholds.upper, channels: channels)
    let outsideIsPlus = try context.expandedBits(
      thresholds.insideIsPlus.map { !$0 }, channels: channels)
    parameters += [lower.memory, upper.memory, outsideIsPlus.memory]
    return EpilogueKernel.Test(
      lower: lower.pointer, upper: upper.pointer, outsideIsPlus: outsideIsPlus.pointer)
  }

  /// The output where it holds rows of real values without a gap.
  private var directValues: Buffer? { values?.rowStep == channels ? values : nil }

  /// Bytes that `target` needs of each worker's scratch for tiles of this many rows.
  func scratchBytes(rows: Int) -> Int { directValues == nil ? rows * channels * 4 : 0 }

  /// Where the core of a step writes real rows, without a gap, before they are finished: the output
  /// itself where it is like that, otherwise the worker's scratch.
  func target(
    row: Int, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) -> UnsafeMutablePointer<Float> {
    if let directValues { return directValues.floats(execution) + row * channels }
    return scratch.assumingMemoryBound(to: Float.self)
  }

  /// Whether integers of some channels can be finished without the others.
  var takesChannelRanges: Bool { beforeFunctions.isEmpty }

  /// Whether mismatches may be given in bit planes.
  var takesPlanes: Bool {
    guard takesChannelRanges else { return false }
    if case .integers = test { return kernel.testsPlanes }
    return kernel.finishesPlanes && last.operands.allSatisfy { $0.operand.isOneRun }
  }

  /// What rows of planes of up to `most` mismatches are finished with.
  func planeReference(
    _ bases: AccumulatorBases, most: Int, _ context: LayerContext
  ) throws(RuntimeError) -> PlaneReference {
    guard case .integers(let test) = test else { return PlaneReference(bases) }
    return try PlaneReference(bases, most: most, test, channels: channels, context)
  }

  /// Finishes rows of mismatches in bit planes, of all channels or whole blocks of them.
  func finish(
    rows: Range<Int>, channels range: Range<Int>, planes: UnsafeRawPointer,
    reference: PlaneReference.Rows, scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    switch reference {
    case .bases(let bases):
      finish(
        rows: rows, .planes(planes, channels: range, bases: bases), scratch: scratch, execution)
    case .bounds(let bounds):
      guard case .integers(let test) = test, let bits else { return }
      kernel.test(
        rows: rows.count, channels: range, of: channels, planes: planes, bounds: bounds, test,
        to: bits.bits(execution) + rows.lowerBound * bits.words)
    }
  }

  /// Finishes rows of integer accumulators, of all channels or whole blocks of them.
  func finish(
    rows: Range<Int>, channels range: Range<Int>, accumulators: UnsafePointer<Int32>,
    scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    if case .integers(let test) = test, let bits {
      kernel.test(
        rows: rows.count, channels: range, of: channels, accumulators, test,
        to: bits.bits(execution) + rows.lowerBound * bits.words)
    } else {
      finish(
        rows: rows, .integers(accumulators, channels: range), scratch: scratch, execution)
    }
  }

  /// Finishes rows of real values, which may lie in `target` already; each begins `step` numbers
  /// after the one before, or without a gap.
  func finish(
    rows: Range<Int>, values source: UnsafePointer<Float>, step: Int? = nil,
    scratch: UnsafeMutableRawPointer, _ execution: Execution
  ) {
    finish(
      rows: rows, .floats(source, channels: 0..<channels, step: step ?? channels),
      scratch: scratch, execution)
  }

  /// Tests some channels of rows of real values, from a multiple of `EpilogueKernel.channelStep` to
  /// one or to the last, for bits; there are neither operands nor functions.
  func test(
    rows: Range<Int>, channels range: Range<Int>, values source: UnsafePointer<Float>, step: Int,
    _ execution: Execution
  ) {
    let target = result(from: rows.lowerBound, execution)
    guard !last.steps.isEmpty else {
      kernel.run(
        rows: rows.count, channels: channels, .floats(source, channels: range, step: step),
        UnsafeBufferPointer(start: nil, count: 0), to: target)
      return
    }
    run(
      last, rows: rows, .floats(source, channels: range, step: step), to: target, execution)
  }

  private func finish(
    rows: Range<Int>, _ source: EpilogueKernel.Source, scratch: UnsafeMutableRawPointer,
    _ execution: Execution
  ) {
    var source = source
    if !beforeFunctions.isEmpty {
      let stored = target(row: rows.lowerBound, scratch: scratch, execution)
      for (part, function) in beforeFunctions {
        run(part, rows: rows, source, to: .init(values: stored, step: channels), execution)
        pointwise.apply(function, rows.count * channels, stored, to: stored)
        source = .floats(UnsafePointer(stored), channels: 0..<channels, step: channels)
      }
    }
    run(last, rows: rows, source, to: result(from: rows.lowerBound, execution), execution)
    for index in signs.indices {
      signs[index].make(rows: rows, channels: source.channels, execution)
    }
  }

  /// The outputs from a row on.
  private func result(from row: Int, _ execution: Execution) -> EpilogueKernel.Target {
    var target = EpilogueKernel.Target(
      values: values.map { $0.floats(execution) + row * $0.rowStep },
      step: values?.rowStep ?? channels)
    if case .floats(let test) = test, let bits {
      target.test = test
      target.bits = bits.bits(execution) + row * bits.words
    }
    return target
  }

  private func run(
    _ part: Part, rows: Range<Int>, _ source: EpilogueKernel.Source,
    to target: EpilogueKernel.Target, _ execution: Execution
  ) {
    if part.steps.isEmpty, target.test == nil, case .floats(let x, _, _) = source,
      target.values.map({ UnsafePointer($0) }) == x
    {
      return
    }
    guard !part.operands.isEmpty else {
      part.steps.withUnsafeBufferPointer {
        kernel.run(rows: rows.count, channels: channels, source, $0, to: target)
      }
      return
    }
    withUnsafeTemporaryAllocation(of: EpilogueStep.self, capacity: part.steps.count) { steps in
      _ = steps.initialize(from: part.steps)
      var row = rows.lowerBound
      while row < rows.upperBound {
        var count = rows.upperBound - row
        for (index, operand) in part.operands {
          count = min(count, operand.rowsLeft(in: row))
          steps[index] = part.steps[index].with(operand: operand.source(row: row, execution))
        }
        let done = row - rows.lowerBound
        var piece = target
        piece.values = target.values.map { $0 + done * target.step }
        piece.bits = target.bits.map { $0 + done * ((channels + 63) / 64) }
        kernel.run(
          rows: count, channels: channels, source.advanced(byRows: done),
          UnsafeBufferPointer(steps), to: piece)
        row += count
      }
    }
  }
}
