import BNNFormat
import BNNTensor

/// A model made ready for one batch size: where each value lies and the steps in order.
final class ExecutionPlan {
  let buffers: [Buffer]
  let execution: Execution
  let steps: [PlannedStep]
  let arenaBytes: Int
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
    let model = resources.model
    let budget = MemoryBudget(limit: resources.budget.limit)
    let layout = try PlanLayout(model, batch: batch)
    buffers = layout.buffers
    arenaBytes = layout.arenaBytes
    var steps: [PlannedStep] = []
    arena = try budget.allocate(layout.arenaBytes)
    for (index, layer) in model.layers.enumerated() {
      let context = LayerContext(
        layer: layer, index: index, inputs: layer.inputs.map { layout.buffers[$0] },
        outputs: layer.outputs.map { layout.buffers[$0] }, kernels: resources.kernels,
        threads: resources.pool.threads, budget: budget, weights: resources.weights)
      steps.append(PlannedStep(layer: index, step: try ExecutionPlan.makeStep(context)))
    }
    self.steps = steps
    let scratch = RegionLayout.aligned(steps.map { $0.step?.scratchBytes ?? 0 }.max() ?? 0)
    let (scratchBytes, overflow) = scratch.multipliedReportingOverflow(by: resources.pool.threads)
    guard !overflow else { throw .tooLarge(bytes: nil, limit: budget.limit) }
    scratchMemory = try budget.allocate(scratchBytes)
    execution = Execution(
      arena: arena.base, scratchBase: scratchMemory.base, scratchStride: scratch,
      pool: resources.pool)
  }

  func run(observer: TimingRecorder? = nil) {
    for planned in steps {
      guard let step = planned.step else { continue }
      guard let observer else {
        step.run(execution)
        continue
      }
      let start = TimingRecorder.now()
      step.run(execution)
      observer.record(
        layer: planned.layer, nanoseconds: TimingRecorder.now() - start, step.work)
    }
  }

  /// The one place that knows which step runs which operation.
  private static func makeStep(_ context: LayerContext) throws(RuntimeError) -> (
    any ExecutionStep
  )? {
    switch context.layer.operation {
    case .binaryConvolution(let geometry, let weights, let epilogue):
      try BinaryConvolutionStep(geometry, weights, epilogue, context)
    case .convolution(let geometry, let weights, let epilogue):
      try ConvolutionStep(geometry, weights, epilogue, context)
    case .pool(let kind, let window, let ceiling, let epilogue):
      try PoolStep(kind, window, ceiling: ceiling, epilogue, context)
    case .binaryPool(let window, let ceiling, let inverted):
      try BinaryPoolStep(window, ceiling: ceiling, inverted: inverted, context)
    case .pointwise(let epilogue): try PointwiseOnlyStep(epilogue, context)
    case .concatenate(let axis): ConcatenateStep(axis: axis, context)
    case .reshape:
      context.inputs[0].offset == context.outputs[0].offset ? nil : RepackStep(context)
    case .transpose(let permutation): TransposeStep(permutation, context)
    case .gatherChannels(let indices): GatherChannelsStep(indices, context)
    case .softmax(let axis, let logarithm): SoftmaxStep(axis: axis, logarithm: logarithm, context)
    case .reduce(let kind, let axes, _): try ReduceStep(kind, axes: axes, context)
    case .unpack: UnpackStep(context)
    case .signProduct: SignProductStep(context)
    }
  }
}
