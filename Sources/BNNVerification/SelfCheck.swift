import BNNFormat
import BNNGraph
import BNNRuntime
import BNNTensor

/// Checks a model without its source: the runtime's ways of running it must agree.
///
/// Results do not depend on the number of threads, bit for bit. Kernels for different instruction
/// sets agree bit for bit in binary layers; in real-valued ones, where some round a product and a
/// sum once and others twice, within the tolerance. So kernels are compared layer by layer: each
/// layer gets what plain kernels made of the layers before it.
public struct SelfCheck: Sendable {
  public var model: BinaryModel
  public var threads: Int
  public var seed: UInt64
  public var tolerance: Double

  public init(
    _ model: BinaryModel, threads: Int = 4, seed: UInt64 = 0, tolerance: Double = 1e-4
  ) {
    self.model = model
    self.threads = threads
    self.seed = seed
    self.tolerance = tolerance
  }

  /// What was compared.
  public struct Report: Hashable, Sendable, Encodable {
    public var verdict: VerificationReport.Verdict
    /// The best kernels against the plain ones.
    public var layers: [VerificationReport.Layer]
    /// The kernels with several threads against the same with one.
    public var threading: [Threading]

    public struct Threading: Hashable, Sendable, Encodable {
      public var kernels: String
      public var threads: Int
      public var compared: Int
      public var mismatches: Int
    }
  }

  /// Compares on seeded inputs.
  public func run() throws(VerificationError) -> Report {
    let inputs = try VerificationInputs(
      seed: seed, for: interface, extents: model.indexExtents
    ).runs.map(packed)
    var threading: [Report.Threading] = []
    for kernels in [KernelChoice.scalar, .best] {
      let one = try outputs(inputs, kernels, threads: 1)
      let several = try outputs(inputs, kernels, threads: threads)
      threading.append(
        .init(
          kernels: kernels.rawValue, threads: threads, compared: one.reduce(0) { $0 + $1.count },
          mismatches: zip(one, several).reduce(0) { $0 + differences($1.0, $1.1) }))
    }
    let layers = try compareKernels(inputs)
    let agree =
      layers.allSatisfy { $0.mismatches == 0 } && threading.allSatisfy { $0.mismatches == 0 }
    return Report(verdict: agree ? .match : .mismatch, layers: layers, threading: threading)
  }

  private func compareKernels(
    _ inputs: [[String: Tensor]]
  ) throws(VerificationError) -> [VerificationReport.Layer] {
    // Every value of the model, made by plain kernels.
    var open = model
    for value in model.values.indices where open.values[value].name.isEmpty {
      open.values[value].name = "\u{1}value \(value)"
    }
    open.outputs = model.values.indices.filter { !model.inputs.contains($0) }
    let names = open.values.map(\.name)
    var runs: [[String: Tensor]] = []
    let session = try attempt { () throws(RuntimeError) in
      try InferenceSession(open, kernels: .scalar)
    }
    for input in inputs {
      let made = try attempt { () throws(RuntimeError) in try session.run(input) }
      runs.append(input.merging(made.map { ($0.name, $0.tensor) }) { first, _ in first })
    }
    var layers: [VerificationReport.Layer] = []
    for index in model.layers.indices {
      layers.append(try compareKernels(layer: index, runs.map { run in names.map { run[$0] } }))
    }
    return layers
  }

  /// - Parameter runs: for each input, all values of the model.
  private func compareKernels(
    layer index: Int, _ runs: [[Tensor?]]
  ) throws(VerificationError) -> VerificationReport.Layer {
    let layer = model.layers[index]
    var result = ResultComparison(layer.operation, tolerance: tolerance)
    let best = try LayerRunner(index, of: model, threads: 1)
    for values in runs {
      var numbers: (reference: Tensor, found: Tensor)?
      if let open = layer.operation.withValues {
        let plain = try LayerRunner(
          index, of: model, operation: open, threads: 1, kernels: .scalar)
        let other = try LayerRunner(index, of: model, operation: open, threads: 1)
        numbers = (try plain.run { values[$0] }[0], try other.run { values[$0] }[0])
      }
      result.compare(layer.outputs.map { values[$0] }, try best.run { values[$0] }, numbers)
    }
    return .init(
      name: layer.name, kind: model.kind(of: layer), operation: layer.operation.kind,
      compared: result.compared,
      mismatches: result.mismatches, storedMismatches: 0, flips: result.flips,
      maximumError: result.maximumError)
  }

  /// The model's inputs as those of a graph.
  private var interface: Graph {
    var graph = Graph()
    for input in model.inputs {
      let value = model.values[input]
      let type = value.elementType == .sign ? ElementType.float32 : value.elementType
      _ = graph.addInput(name: value.name, type: ValueType(type, value.dimensions))
    }
    return graph
  }

  private func outputs(
    _ inputs: [[String: Tensor]], _ kernels: KernelChoice, threads: Int
  ) throws(VerificationError) -> [Tensor] {
    try attempt { () throws(RuntimeError) in
      let session = try InferenceSession(model, threads: threads, kernels: kernels)
      var tensors: [Tensor] = []
      for input in inputs { tensors += try session.run(packed(input)).map(\.tensor) }
      return tensors
    }
  }

  /// Inputs of signs get the signs of the numbers.
  private func packed(_ inputs: [String: Tensor]) -> [String: Tensor] {
    var result = inputs
    for input in model.inputs where model.values[input].elementType == .sign {
      let name = model.values[input].name
      guard let tensor = inputs[name] else { continue }
      let floats = tensor.floats
      result[name] = Tensor(PackedTensor(shape: tensor.shape) { floats[$0] > 0.25 })
    }
    return result
  }

  private func differences(_ a: Tensor, _ b: Tensor) -> Int {
    guard a != b else { return 0 }
    guard a.count == b.count else { return max(a.count, b.count) }
    return zip(a.floats, b.floats).count { $0.bitPattern != $1.bitPattern }
  }
}

extension SelfCheck.Report: CustomStringConvertible {
  public var description: String {
    let lines = threading.map {
      "\($0.kernels) kernels, \($0.threads) threads against one: "
        + "\($0.mismatches) of \($0.compared) outputs differ"
    }
    return (VerificationReport.table(layers) + [""] + lines + ["verdict: \(verdict.rawValue)"])
      .joined(separator: "\n")
  }
}
