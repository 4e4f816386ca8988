import BNNFormat
import BNNTensor

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Runs a model.
///
///     let session = try InferenceSession(BinaryModel(contentsOfFile: "digits.bnn"))
///     let results = try session.run(["input": Tensor(pixels, shape: [1, 1, 8, 8])])
///
/// A session owns its threads, the model's weights in the layout of its kernels, and the memory
/// that a run needs; after the first run with a batch size it allocates the results, and with
/// ``run(_:into:)`` not even these.
/// Results depend neither on the number of threads nor on how many inputs are run at a time. A
/// session is for one caller at a time.
public final class InferenceSession {
  public let model: BinaryModel
  public let threads: Int
  /// The kernels that were chosen, one per family.
  public let kernelNames: [String]

  let batching: Batching
  private let resources: ExecutionPlan.Resources
  /// The plans that were used last, by batch size, the latest at the end.
  private var plans: [(batch: Int, plan: ExecutionPlan)] = []

  /// - Parameters:
  ///   - threads: how many threads a run uses, the caller's included.
  ///   - kernels: `.best` follows the environment variable `BNN_KERNELS` where it is set.
  ///   - memoryLimit: bytes that the weights, and a run, may take; a model that claims more is
  ///     refused before anything of that size is allocated.
  public convenience init(
    _ model: BinaryModel, threads: Int = 1, kernels: KernelChoice = .best,
    memoryLimit: Int = 4 << 30
  ) throws(RuntimeError) {
    try self.init(
      model, threads: threads, kernels: try kernels.resolved(), memoryLimit: memoryLimit)
  }

  /// With one design for all products of bits, instead of the best for each layer's shape.
  package convenience init(
    _ model: BinaryModel, threads: Int = 1, kernels: KernelChoice = .best,
    binaryProduct name: String
  ) throws(RuntimeError) {
    guard let kernels = try kernels.resolved().with(binaryProduct: name) else {
      throw .unsupportedKernels(name: name)
    }
    try self.init(model, threads: threads, kernels: kernels, memoryLimit: 4 << 30)
  }

  /// The designs for products of bits that the runtime chooses from.
  package static func binaryProducts(
    of kernels: KernelChoice
  ) throws(RuntimeError) -> [String] {
    try kernels.resolved().binaryProducts.map(\.name)
  }

  private init(
    _ model: BinaryModel, threads: Int, kernels: Kernels, memoryLimit: Int
  ) throws(RuntimeError) {
    guard (1...1024).contains(threads), let pool = WorkerPool(threads: threads) else {
      throw .threads(count: threads)
    }
    self.model = model
    self.threads = threads
    kernelNames = kernels.names
    let budget = MemoryBudget(limit: memoryLimit)
    resources = ExecutionPlan.Resources(
      model: model, kernels: kernels, pool: pool, budget: budget,
      weights: WeightStore(budget: budget, signBytes: model.signBytes))
    batching = Batching(model)
    // Finds every fault of the model now, and lays out the weights.
    _ = try plan(batch: 1)
  }

  /// What the session holds beside the model.
  package var memoryUse: MemoryUse {
    MemoryUse(
      weights: resources.budget.used, values: plans.reduce(0) { $0 + $1.plan.arenaBytes },
      steps: plans.reduce(0) { $0 + $1.plan.stepBytes })
  }

  /// Runs the model on tensors by input name.
  ///
  /// Inputs have the declared shapes; their batch may have any size. For real values any other
  /// element type but bits is converted; all others are given as they are declared.
  /// - Returns: the outputs in the model's order.
  public func run(
    _ inputs: [String: Tensor]
  ) throws(RuntimeError) -> [(name: String, tensor: Tensor)] {
    var results: [(name: String, tensor: Tensor)] = []
    try run(inputs, into: &results)
    return results
  }

  /// Runs the model and writes the outputs over those of an earlier run.
  ///
  ///     var results = try session.run(inputs)
  ///     try session.run(others, into: &results)
  ///
  /// Nothing is allocated where the outputs have the same shapes as before and nothing else holds
  /// them; with several threads, a few bytes per layer for handing out its work.
  /// - Parameter results: any list; afterwards the outputs in the model's order. If the run throws,
  ///   their elements are not specified.
  public func run(
    _ inputs: [String: Tensor], into results: inout [(name: String, tensor: Tensor)]
  ) throws(RuntimeError) {
    try run(inputs, into: &results, observer: nil)
  }

  /// Runs the model and measures its layers.
  public func profile(
    _ inputs: [String: Tensor]
  ) throws(RuntimeError) -> (
    outputs: [(name: String, tensor: Tensor)], layers: [LayerTiming]
  ) {
    let recorder = TimingRecorder(model)
    var results: [(name: String, tensor: Tensor)] = []
    try run(inputs, into: &results, observer: recorder)
    return (results, recorder.timings)
  }

  private func run(
    _ inputs: [String: Tensor], into results: inout [(name: String, tensor: Tensor)],
    observer: TimingRecorder?
  ) throws(RuntimeError) {
    let request = try batching.request(model, inputs)
    try request.prepare(&results, model)
    let length = try sliceLength(for: request)
    for index in 0..<request.sliceCount(length: length) {
      let slice = request.slice(index, length: length)
      let plan = try plan(batch: slice.batch)
      var external: (list: [Float], first: Int)?
      for value in model.inputs {
        guard let tensor = inputs[model.values[value].name] else { continue }
        if value == plan.external, case .float(let list) = tensor.storage {
          external = (list, slice.firstElement(of: tensor.count))
        } else {
          plan.buffers[value].load(tensor, slice, plan.execution)
        }
      }
      if let external {
        try external.list.withUnsafeBufferPointer { list throws(RuntimeError) in
          try plan.run(observer: observer, external: list.baseAddress.map { $0 + external.first })
        }
      } else {
        try plan.run(observer: observer)
      }
      for (position, value) in model.outputs.enumerated() {
        plan.buffers[value].store(to: &results[position].tensor, slice, plan.execution)
      }
    }
  }

  /// How many of the batch run together: a run's memory stays bounded, and in the cache's reach.
  private func sliceLength(for request: BatchRequest) throws(RuntimeError) -> Int {
    guard request.isDivisible, request.batch > 1 else { return request.batch }
    let bytesOfOne = max(try plan(batch: 1).arenaBytes, 1)
    return max(1, min(request.batch, arenaTarget / bytesOfOne))
  }

  /// Bytes of values that a part of a large batch should take.
  var arenaTarget = 32 << 20

  private func plan(batch: Int) throws(RuntimeError) -> ExecutionPlan {
    if let index = plans.firstIndex(where: { $0.batch == batch }) {
      // The latest at the end.
      if index != plans.count - 1 { plans.append(plans.remove(at: index)) }
      return plans[plans.count - 1].plan
    }
    let plan = try ExecutionPlan(resources, batch: batch)
    if plans.count == 4 { plans.removeFirst() }
    plans.append((batch, plan))
    return plan
  }
}

extension KernelChoice {
  /// The kernels of the choice, which the environment may make.
  fileprivate func resolved() throws(RuntimeError) -> Kernels {
    let choice = try resolved(environment: getenv("BNN_KERNELS").map { String(cString: $0) })
    guard let kernels = Kernels(choice) else { throw .unsupportedKernels(name: choice.rawValue) }
    return kernels
  }

  /// The choice, after the environment's where it is left open.
  func resolved(environment name: String?) throws(RuntimeError) -> KernelChoice {
    guard self == .best, let name, !name.isEmpty else { return self }
    guard let choice = KernelChoice(rawValue: name) else { throw .unsupportedKernels(name: name) }
    return choice
  }
}

extension BinaryModel {
  /// Bytes of the bits of all weights that are multiplied as signs.
  fileprivate var signBytes: Int {
    layers.reduce(0) { sum, layer in
      guard case .binaryConvolution(_, let packed, _) = layer.operation else { return sum }
      return sum + packed.bytes.count
    }
  }
}
