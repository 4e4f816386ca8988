import BNNFormat
import BNNTensor

/// A model made ready for one batch size: where each value lies and the steps in order.
final class ExecutionPlan {
  let buffers: [Buffer]
  let execution: Execution
  /// The input that may be read where the caller has it.
  let external: Int?
  let steps: [PlannedStep]
  let arenaBytes: Int
  /// Bytes of parameters and of what the workers need.
  let stepBytes: Int
  private let arena: AlignedMemory
  private let scratchMemory: AlignedMemory

  struct PlannedStep {
    let layer: Int
    /// Nil where nothing needs to happen (a reshape that shares its input's memory).
    let step: (any ExecutionStep)?
  }

  /// What all plans of a session share.
  struct Resources {
    let model: BinaryModel
    let kernels: Kernels
    let pool: WorkerPool
    let budget: MemoryBudget
    let weights: WeightStore
  }

  init(_ resources: Resources, batch: Int) throws(RuntimeError) {
    let budget = MemoryBudget(limit: resources.budget.limit)
    let layout = try PlanLayout(resources.model, batch: batch)
    let model = layout.model
    buffers = layout.buffers
    arenaBytes = layout.arenaBytes
    var steps: [PlannedStep] = []
    arena = try budget.allocate(layout.arenaBytes)
    let constants = model.constants
    var contexts = model.layers.enumerated().map { index, layer in
      LayerContext(
        layer: layer, index: index, inputs: layer.inputs.map { layout.buffers[$0] },
        outputs: layer.outputs.map { layout.buffers[$0] },
        constants: layer.inputs.map { constants[$0] }, kernels: resources.kernels,
        threads: resources.pool.threads, budget: budget, weights: resources.weights)
    }
    try layout.signs.attach(to: &contexts)
    for (index, context) in contexts.enumerated() where !layout.pooled.isPool(index) {
      if layout.signs.layers.contains(index) { continue }
      let step =
        layout.pooled.producers.contains(index)
        ? try ExecutionPlan.makePooledStep(context, pool: contexts[index + 1])
        : try ExecutionPlan.makeStep(context)
      steps.append(PlannedStep(layer: index, step: step))
    }
    self.steps = steps
    let products = steps.compactMap { $0.step as? BinaryConvolutionStep }
    for (step, next) in zip(products, products.dropFirst()) { step.isFollowed(by: next) }
    let scratch = RegionLayout.aligned(steps.map { $0.step?.scratchBytes ?? 0 }.max() ?? 0)
    let (scratchBytes, overflow) = scratch.multipliedReportingOverflow(by: resources.pool.threads)
    guard !overflow else { throw .tooLarge(bytes: nil, limit: budget.limit) }
    scratchMemory = try budget.allocate(scratchBytes)
    var execution = Execution(
      arena: arena.base, scratchBase: scratchMemory.base, scratchStride: scratch,
      pool: resources.pool)
    external = layout.external
    if let external { execution.external = arena.base + buffers[external].offset }
    self.execution = execution
    stepBytes = budget.used - arenaBytes
    for (value, tensor) in constants { buffers[value].fill(tensor, execution) }
  }

  /// - Parameter input: the elements of the external input, if they do not lie in its place.
  func run(
    observer: TimingRecorder? = nil, external input: UnsafePointer<Float>? = nil
  ) throws(RuntimeError) {
    var execution = execution
    if let input { execution.external = UnsafeMutableRawPointer(mutating: input) }
    for planned in steps {
      guard let step = planned.step else { continue }
      guard let observer else {
        try step.run(execution)
        continue
      }
      let start = TimingRecorder.now()
      try step.run(execution)
      observer.record(
        layer: planned.layer, nanoseconds: TimingRecorder.now() - start, step.work)
    }
  }

  private static func makeBinaryConvolution(
    _ source: BinaryProductSource, _ epilogue: Epilogue, _ context: LayerContext
  ) throws(RuntimeError) -> any ExecutionStep {
    if let step = try SlicedConvolutionStep(source, epilogue, context) { return step }
    return try BinaryConvolutionStep(source, epilogue, context)
  }

  /// A layer of `PooledLayers` and the pool after it.
  private static func makePooledStep(
    _ context: LayerContext, pool: LayerContext
  ) throws(RuntimeError) -> any ExecutionStep {
    guard case .pool(let kind, let window, let ceiling, var epilogue) = pool.layer.operation
    else { preconditionFailure("no pool") }
    var (context, falls) = (context, [false])
    let plan = try pool.windowPlan(window, ceiling: ceiling)
    if case .maximum = kind, let before = context.layer.operation.lineEpilogue,
      let monotone = before.monotoneChannels(allowsBounds: plan.seesInputEverywhere)
    {
      (falls, epilogue.steps) = (monotone, before.steps + epilogue.steps)
      if case .pointwise = context.layer.operation, context.inputs[0].isGapless {
        return try PoolStep(
          kind, window, ceiling: ceiling, epilogue, usesMinimum: falls,
          pool.with(input: context.inputs[0]))
      }
      context = context.withoutSteps
    }
    guard let producer = try makeLineStep(context)
    else { preconditionFailure("no layer that computes lines before a pool") }
    return PooledStep(
      producer,
      try PoolStep(kind, window, ceiling: ceiling, epilogue, usesMinimum: falls, pool),
      channels: pool.inputs[0].channels, threads: context.threads)
  }

  private static func makeLineStep(
    _ context: LayerContext
  ) throws(RuntimeError) -> (any LineStep)? {
    switch context.layer.operation {
    case .convolution(let geometry, let weights, let epilogue):
      try makeConvolution(geometry, weights, epilogue, context)
    case .quantizedConvolution(let geometry, let weights, let input, let epilogue):
      try QuantizedConvolutionStep(geometry, weights, input, epilogue, context)
    case .pointwise: try PointwiseOnlyStep(context)
    default: nil
    }
  }

  /// The one place that knows which step runs which operation.
  private static func makeStep(_ context: LayerContext) throws(RuntimeError) -> (
    any ExecutionStep
  )? {
    switch context.layer.operation {
    case .binaryConvolution(let geometry, let weights, let epilogue):
      try makeBinaryConvolution(
        BinaryProductSource(geometry, weights, context), epilogue, context)
    case .convolution(let geometry, let weights, let epilogue):
      try makeConvolution(geometry, weights, epilogue, context)
    case .quantizedConvolution(let geometry, let weights, let input, let epilogue):
      try QuantizedConvolutionStep(geometry, weights, input, epilogue, context)
    case .pool(let kind, let window, let ceiling, let epilogue):
      try PoolStep(kind, window, ceiling: ceiling, epilogue, context)
    case .binaryPool(let window, let ceiling, let inverted):
      try BinaryPoolStep(window, ceiling: ceiling, inverted: inverted, context)
    case .pointwise: try PointwiseOnlyStep(context.withWideRows ?? context)
    case .concatenate(let axis): ConcatenateStep(axis: axis, context)
    case .reshape:
      context.inputs[0].offset == context.outputs[0].offset ? nil : RepackStep(context)
    case .transpose(let permutation):
      context.outputs[0].isPlanar
        ? nil : StridedCopyStep(permutation: permutation, context)
    case .softmax(let axis, let logarithm): SoftmaxStep(axis: axis, logarithm: logarithm, context)
    case .reduce(let kind, let axes, _): try ReduceStep(kind, axes: axes, context)
    case .unpack: UnpackStep(context)
    case .signProduct: SignProductStep(context)
    case .array(let operation): try makeStep(operation, context)
    }
  }

  private static func makeConvolution(
    _ geometry: ConvolutionGeometry, _ weights: Weights, _ epilogue: Epilogue,
    _ context: LayerContext
  ) throws(RuntimeError) -> any LineStep {
    if DepthwiseConvolutionStep.fits(geometry, weights, input: context.inputs[0]) {
      return try DepthwiseConvolutionStep(geometry, weights, epilogue, context)
    }
    if FewOutputsConvolutionStep.fits(geometry, weights, input: context.inputs[0]) {
      return try FewOutputsConvolutionStep(geometry, weights, epilogue, context)
    }
    let shape: WinogradKernel.Shape?
    do {
      shape = try WinogradConvolutionStep.shape(geometry, weights, input: context.inputs[0])
    } catch {
      throw context.fault(error)
    }
    if let shape, case .float32(let values, _) = weights {
      return try WinogradConvolutionStep(shape, geometry, values, epilogue, context)
    }
    return try ConvolutionStep(geometry, weights, epilogue, context)
  }

  private static func makeStep(
    _ operation: ArrayOperation, _ context: LayerContext
  ) throws(RuntimeError) -> (any ExecutionStep)? {
    switch operation {
    case .constant: nil
    case .elementwise(let function): ElementwiseStep(function, context)
    case .cast: CastStep(context)
    case .slice(let starts, let steps): StridedCopyStep(starts: starts, steps: steps, context)
    case .pad(let mode, let begin, _): PadStep(mode, begin: begin, context)
    case .gather(let axis): try GatherStep(axis: axis, context)
    case .expand: StridedCopyStep(expanding: context)
    case .matrixProduct: try MatrixProductStep(context)
    case .convolution(let geometry):
      try ArrayConvolutionStep(geometry, isTransposed: false, context)
    case .transposedConvolution(let geometry, _):
      try ArrayConvolutionStep(geometry, isTransposed: true, context)
    case .argumentExtremum(let isMaximum, let axis, _, let selectsLast):
      ArgumentExtremumStep(
        isMaximum: isMaximum, axis: axis, selectsLast: selectsLast, context)
    case .topK(let axis, let count, let largest):
      TopKStep(axis: axis, count: count, largest: largest, context)
    case .cumulativeSum(let axis, let exclusive, let reverse):
      CumulativeSumStep(axis: axis, exclusive: exclusive, reverse: reverse, context)
    case .gatherElements(let axis): ElementIndexStep(axis: axis, reduction: nil, context)
    case .gatherND(let batchDimensions):
      PlaceIndexStep(batchDimensions: batchDimensions, reduction: nil, context)
    case .scatterElements(let axis, let reduction):
      ElementIndexStep(axis: axis, reduction: reduction, context)
    case .scatterND(let reduction):
      PlaceIndexStep(batchDimensions: 0, reduction: reduction, context)
    case .maximumIndices(let window, let ceiling, let columnMajor):
      try MaximumIndicesStep(window, ceiling: ceiling, columnMajor: columnMajor, context)
    case .resample(let tables, let outside): ResampleStep(tables, outside: outside, context)
    }
  }
}

extension BinaryModel {
  /// The constants by the values that hold them.
  fileprivate var constants: [Int: Tensor] {
    var constants: [Int: Tensor] = [:]
    for layer in layers {
      if case .array(.constant(let tensor)) = layer.operation, let value = layer.outputs.first {
        constants[value] = tensor
      }
    }
    return constants
  }
}
