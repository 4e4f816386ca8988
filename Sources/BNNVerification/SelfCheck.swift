import BNNFormat
import BNNGraph
import BNNRuntime
import BNNTensor

/// Checks a model without its source: the runtime's kernels and threads must agree bit for bit.
public struct SelfCheck: Sendable {
  public var model: BinaryModel
  public var threads: Int
  public var seed: UInt64

  public init(_ model: BinaryModel, threads: Int = 4, seed: UInt64 = 0) {
    self.model = model
    self.threads = threads
    self.seed = seed
  }

  /// What was compared.
  public struct Report: Hashable, Sendable, Encodable {
    public var verdict: VerificationReport.Verdict
    /// Every way of running the model beside the plain one.
    public var variants: [Variant]

    public struct Variant: Hashable, Sendable, Encodable {
      public var kernels: String
      public var threads: Int
      public var compared: Int
      public var mismatches: Int
    }
  }

  /// Runs seeded inputs through plain kernels with one thread, and compares every other way.
  public func run() throws(VerificationError) -> Report {
    let inputs = try VerificationInputs(seed: seed, for: interface).runs
    let plain = try outputs(inputs, .scalar, threads: 1)
    var variants: [Report.Variant] = []
    for (kernels, threads) in [(KernelChoice.scalar, threads), (.best, 1), (.best, threads)] {
      let found = try outputs(inputs, kernels, threads: threads)
      variants.append(
        .init(
          kernels: kernels.rawValue, threads: threads,
          compared: plain.reduce(0) { $0 + $1.count },
          mismatches: zip(plain, found).reduce(0) { $0 + differences($1.0, $1.1) }))
    }
    let agree = variants.allSatisfy { $0.mismatches == 0 }
    return Report(verdict: agree ? .match : .mismatch, variants: variants)
  }

  /// The model's inputs as those of a graph.
  private var interface: Graph {
    var graph = Graph()
    for input in model.inputs {
      let value = model.values[input]
      _ = graph.addInput(name: value.name, type: ValueType(.float32, value.dimensions))
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
    let lines = variants.map {
      "\($0.kernels) kernels, \($0.threads) threads: \($0.mismatches) of \($0.compared) outputs "
        + "differ from scalar kernels with one thread"
    }
    return (lines + ["verdict: \(verdict.rawValue)"]).joined(separator: "\n")
  }
}
