import BNNKit

/// A `.bnn`, run by the runtime.
struct FileModel: RunnableModel {
  let model: BinaryModel
  private let session: InferenceSession
  private let kernelChoice: KernelChoice
  private let fileName: String
  let inputs: [Port]
  let outputs: [Port]

  init(
    _ model: BinaryModel, fileName: String, threads: Int, kernels: KernelChoice = .best
  ) throws(CommandError) {
    self.model = model
    self.fileName = fileName
    kernelChoice = kernels
    inputs = model.inputs.map { Port(model.values[$0]) }
    outputs = model.outputs.map { Port(model.values[$0]) }
    do {
      session = try InferenceSession(model, threads: threads, kernels: kernels)
    } catch {
      throw CommandError(error, file: fileName)
    }
  }

  /// What the session holds beside the model.
  var memoryUse: MemoryUse { session.memoryUse }

  /// The instruction sets of the session's kernels, which end their names.
  var kernels: String {
    let sets = Set(session.kernelNames.compactMap { $0.split(separator: "_").last })
    let beyondScalar = sets.subtracting(["scalar"]).sorted()
    return beyondScalar.isEmpty ? "scalar" : beyondScalar.joined(separator: ", ")
  }

  func run(_ inputs: [String: Tensor]) throws(CommandError) -> [NamedTensor] {
    do {
      return try session.run(inputs).map { NamedTensor(name: $0.name, tensor: $0.tensor) }
    } catch {
      throw CommandError(error, file: fileName)
    }
  }

  /// The time that each binary layer takes with each design of its product.
  func tuning(inputs: [String: Tensor], runs: Int) throws(CommandError) -> Tuning {
    do {
      return try Tuning.measure(
        model, threads: session.threads, kernels: kernelChoice, inputs: inputs, runs: runs)
    } catch {
      throw CommandError(error, file: fileName)
    }
  }

  /// The time that each layer takes, over several runs.
  func layerLatencies(
    inputs: [String: Tensor], runs: Int
  ) throws(CommandError) -> [LayerLatency] {
    var profiles: [[LayerTiming]] = []
    do {
      for _ in 0..<runs { profiles.append(try session.profile(inputs).layers) }
    } catch {
      throw CommandError(error, file: fileName)
    }
    return model.layers.enumerated().map { index, layer in
      LayerLatency(LayerFacts(layer, of: model), samples: profiles.map { $0[index] })
    }
  }
}
