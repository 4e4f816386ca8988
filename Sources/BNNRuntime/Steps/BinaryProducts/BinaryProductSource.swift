import BNNFormat
import BNNTensor

/// What all ways to compute a binary convolution are made from.
struct BinaryProductSource {
  let input: Buffer
  let plan: WindowPlan
  let groups: Int
  let outputs: Int
  let outsideIsPlus: Bool
  let weights: WeightRows
  let bases: AccumulatorBases

  init(
    _ geometry: ConvolutionGeometry, _ packed: PackedTensor, _ context: LayerContext
  ) throws(RuntimeError) {
    input = context.inputs[0]
    plan = try context.windowPlan(geometry.window)
    outputs = packed.shape[0]
    groups = geometry.groups
    outsideIsPlus = geometry.padding == .plusOne
    let bitsPerTap = input.channels / groups
    let (depth, overflow) = plan.taps.multipliedReportingOverflow(by: bitsPerTap)
    // A base is at most three times this; see AccumulatorBases.
    guard !overflow, depth < 1 << 29 else {
      throw context.fault(.accumulatorRange(overflow ? Int.max : depth))
    }
    weights = WeightRows(packed, outputs: outputs, depth: depth)
    bases = try AccumulatorBases(
      plan, weights, bitsPerTap: bitsPerTap, countsPadding: geometry.padding != .zero, context)
  }

  var outputsPerGroup: Int { outputs / groups }
  var bitsPerTap: Int { input.channels / groups }
  /// What the choice of a design follows from.
  func shape(isTested: Bool) -> BinaryProductShape {
    BinaryProductShape(
      rows: plan.positionsPerImage, outputs: outputsPerGroup, taps: plan.taps,
      bitsPerTap: bitsPerTap, groups: groups, isTested: isTested)
  }

  var macs: Int { StepWork.product(plan.positions, outputs, weights.depth) }
}

extension LayerContext {
  /// The design for a layer's product.
  func binaryProduct(
    for source: BinaryProductSource, isTested: Bool
  ) -> BinaryProductDesign {
    kernels.binaryProduct(
      for: source.shape(isTested: isTested),
      weightBytes: weights.limit(layer: index, signBytes: source.weights.byteCount))
  }
}
