import BNNFormat
import BNNTensor

/// What a step is made from: a layer with its values for one batch size.
struct LayerContext {
  private(set) var layer: Layer
  let index: Int
  private(set) var inputs: [Buffer]
  private(set) var outputs: [Buffer]
  /// One entry per input: its elements where they are constant.
  let constants: [Tensor?]
  let kernels: Kernels
  let threads: Int
  let budget: MemoryBudget
  let weights: WeightStore
  /// Signs of the layer's real values that it makes with them.
  var signs: [PieceSigns] = []
  /// What those run, which they only refer to.
  var signPrograms: [EpilogueProgram] = []

  func fault(_ fault: RuntimeError.LayerFault) -> RuntimeError {
    .invalidLayer(name: layer.name, fault)
  }

  /// The same layer on another first input.
  func with(input: Buffer) -> LayerContext {
    var context = self
    context.inputs[0] = input
    return context
  }

  /// The same layer, which computes lines, without what follows its core.
  var withoutSteps: LayerContext {
    var context = self
    switch layer.operation {
    case .convolution(let geometry, let weights, _):
      context.layer.operation = .convolution(geometry, weights: weights, Epilogue(steps: []))
    case .quantizedConvolution(let geometry, let weights, let input, _):
      context.layer.operation = .quantizedConvolution(
        geometry, weights: weights, input: input, Epilogue(steps: []))
    case .pointwise: context.layer.operation = .pointwise(Epilogue(steps: []))
    default: break
    }
    return context
  }

  /// The same pointwise layer with several rows of few channels as one row, so that vectors are full;
  /// nil where rows have enough, or values lie in another way.
  var withWideRows: LayerContext? {
    let (shape, channels) = (outputs[0].shape, outputs[0].channels)
    guard case .pointwise(var epilogue) = layer.operation, case .values = epilogue.output,
      signs.isEmpty, channels < EpilogueKernel.block, shape.rank > 1,
      (inputs + outputs).allSatisfy({ $0.isGapless && !$0.isInBand && !$0.isPlanar }),
      inputs.allSatisfy({ $0.shape == shape || $0.count == 1 }), inputs[0].shape == shape
    else { return nil }
    let rows = outputs[0].rows
    let most = 2 * EpilogueKernel.block / max(channels, 1)
    guard let repeats = (2...max(2, most)).last(where: { rows % $0 == 0 }) else { return nil }
    let wide = Shape([rows / repeats, channels * repeats])
    // Lists that do not fit are left for the plain layer's error.
    func widen(_ list: inout [Float]) -> Bool {
      guard list.count == channels, channels > 1 else { return list.count == 1 }
      list = (0..<repeats).flatMap { _ in list }
      return true
    }
    for (index, step) in epilogue.steps.enumerated() {
      switch step {
      case .affine(var scale, var bias):
        guard widen(&scale), widen(&bias) else { return nil }
        epilogue.steps[index] = .affine(scale: scale, bias: bias)
      case .slopes(var positive, var negative):
        guard widen(&positive), widen(&negative) else { return nil }
        epilogue.steps[index] = .slopes(positive: positive, negative: negative)
      case .clamp, .function, .add, .multiply: break
      }
    }
    var context = self
    context.layer.operation = .pointwise(epilogue)
    context.inputs = inputs.map { $0.reshaped(to: $0.shape == shape ? wide : [1, 1]) }
    context.outputs = [outputs[0].reshaped(to: wide)]
    return context
  }

  /// A window over the layer's first input.
  func windowPlan(
    _ window: WindowGeometry, ceiling: Bool = false
  ) throws(RuntimeError) -> WindowPlan {
    do {
      return try WindowPlan(window, input: inputs[0].shape, ceiling: ceiling)
    } catch {
      throw fault(error)
    }
  }

  /// A list with one entry per channel from one that may have a single entry for all, followed by
  /// zeros up to a whole block of channels.
  func expanded<T: BitwiseCopyable>(
    _ list: [T], channels: Int
  ) throws(RuntimeError) -> ParameterList<T> {
    guard list.count == channels || list.count == 1 else {
      throw fault(.parameterCount(expected: channels, found: list.count))
    }
    let padded = (channels + EpilogueKernel.block - 1) / EpilogueKernel.block * EpilogueKernel.block
    let memory = try budget.allocate(padded * MemoryLayout<T>.stride)
    let target = memory.pointer(to: T.self)
    for channel in 0..<channels {
      target[channel] = list.count == 1 ? list[0] : list[channel]
    }
    return ParameterList(memory: memory)
  }

  /// 0, 1, 2, …: the offsets of rows without gaps.
  func consecutive(_ count: Int) throws(RuntimeError) -> ParameterList<UInt32> {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: 4)
    guard !overflow else { throw .tooLarge(bytes: nil, limit: budget.limit) }
    let list = ParameterList<UInt32>(memory: try budget.allocate(bytes))
    for index in 0..<count { list.pointer[index] = UInt32(index) }
    return list
  }

  /// One bit per channel from a list that may have a single entry for all; 0 after the last.
  func expandedBits(
    _ list: [Bool], channels: Int
  ) throws(RuntimeError) -> ParameterList<UInt64> {
    guard list.count == channels || list.count == 1 else {
      throw fault(.parameterCount(expected: channels, found: list.count))
    }
    let memory = try budget.allocate((channels + 63) / 64 * 8)
    let target = memory.pointer(to: UInt64.self)
    for channel in 0..<channels where list.count == 1 ? list[0] : list[channel] {
      target[channel / 64] |= 1 << UInt64(channel % 64)
    }
    return ParameterList(memory: memory)
  }
}

/// Parameters in memory of their own.
struct ParameterList<Element: BitwiseCopyable> {
  let memory: AlignedMemory
  @inline(__always) var pointer: UnsafeMutablePointer<Element> { memory.pointer(to: Element.self) }
}

/// Weights in the layout of their kernels: laid out once, shared by the plans of all batch sizes.
final class WeightStore {
  private var memories: [Int: AlignedMemory] = [:]
  private let budget: MemoryBudget
  /// Where weights of several layers lie together, and how much of it is taken.
  private var shared: AlignedMemory?
  private var taken = 0

  /// Bytes that layouts of signs may still take beyond `perByte` for each byte of their bits.
  private var spare: Int
  private var limits: [Int: Int] = [:]
  private static let perByte = 4
  /// What small models may take more.
  private static let always = 64 << 10

  /// Memory that is only touched where it is used.
  private static let sharedBytes = 4 * AlignedMemory.largePage
  /// Weights that are worth it; those of small models stay by themselves.
  private static let sharedSizes = (128 << 10)..<AlignedMemory.largePage

  /// - Parameter signBytes: bytes of the bits of all weights of ±1. Their layouts take up to four and
  ///   a half times as much, so that a model that has few of them, or many narrow layers, stays small.
  init(budget: MemoryBudget, signBytes: Int) {
    self.budget = budget
    spare = signBytes / 2 + WeightStore.always
  }

  /// How many bytes the layout of a layer's signs may take: the same for all batch sizes, whose plans
  /// share it.
  func limit(layer: Int, signBytes: Int) -> Int {
    if let limit = limits[layer] { return limit }
    let limit = WeightStore.perByte * signBytes + spare
    limits[layer] = limit
    return limit
  }

  /// The weights of a layer, laid out by `fill` when they are asked for the first time.
  ///
  /// - Parameter signBytes: bytes of their bits where they are signs.
  func memory(
    layer: Int, byteCount: Int, signBytes: Int? = nil,
    fill: (UnsafeMutableRawPointer) throws(RuntimeError) -> Void
  ) throws(RuntimeError) -> AlignedMemory {
    if let memory = memories[layer] { return memory }
    let memory = try allocate(byteCount)
    try fill(memory.base)
    memories[layer] = memory
    if let signBytes { spare += WeightStore.perByte * signBytes - byteCount }
    return memory
  }

  /// Weights of large models lie together in large pages.
  private func allocate(_ byteCount: Int) throws(RuntimeError) -> AlignedMemory {
    guard WeightStore.sharedSizes.contains(byteCount) else { return try budget.allocate(byteCount) }
    try budget.charge(byteCount)
    if shared == nil || taken + byteCount > WeightStore.sharedBytes {
      guard let memory = AlignedMemory(byteCount: WeightStore.sharedBytes) else {
        throw .tooLarge(bytes: byteCount, limit: budget.limit)
      }
      (shared, taken) = (memory, 0)
    }
    guard let shared else { return try budget.allocate(byteCount) }
    defer { taken = RegionLayout.aligned(taken + byteCount) }
    return AlignedMemory(shared, at: taken)
  }
}
