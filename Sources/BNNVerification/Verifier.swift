import BNNExport
import BNNFormat
import BNNGraph
import BNNRuntime
import BNNTensor

/// Compares a model with the network that it was made from.
///
/// Four comparisons are always made: what the file stores with what the canonical graph says;
/// the source with the canonical graph, both by the reference executor; each layer of the runtime
/// with the canonical graph, on the reference's inputs; and the source with the model, end to end.
///
///     let verifier = Verifier(source: source, canonical: canonical, model: model)
///     let report = try verifier.verify()
///     print(report)
public struct Verifier: Sendable {
  /// The imported graph with the bit of the file's choice at a plain Sign's zero.
  public var source: Graph
  /// What the passes made of it.
  public var canonical: Graph
  /// The canonical graph before anything in it was rounded or replaced for a smaller file, which has
  /// to compute what the source does; nil where nothing was.
  public var exact: Graph?
  public var model: BinaryModel
  public var options: Options

  public struct Options: Hashable, Sendable {
    /// How far real values may differ, as a part of the largest value.
    public var tolerance: Double
    /// What the inputs depend on when none are given.
    public var seed: UInt64
    public var threads: Int
    /// How far the outputs of a file with lossy choices may be from the source's, as a part of the
    /// largest; nil for any error.
    public var maximumError: Double?

    public init(
      tolerance: Double = 1e-4, seed: UInt64 = 0, threads: Int = 1, maximumError: Double? = nil
    ) {
      self.maximumError = maximumError
      self.tolerance = tolerance
      self.seed = seed
      self.threads = threads
    }
  }

  public init(
    source: Graph, canonical: Graph, exact: Graph? = nil, model: BinaryModel,
    options: Options = .init()
  ) {
    self.source = source
    self.canonical = canonical
    self.exact = exact
    self.model = model
    self.options = options
  }

  /// Makes all comparisons.
  ///
  /// - Parameters:
  ///   - inputs: tensors by input name, for any batch; nil for seeded ones.
  ///   - expected: recorded outputs by name, which then decide end to end. Only with inputs.
  public func verify(
    inputs: [String: Tensor]? = nil, expected: [String: Tensor] = [:]
  ) throws(VerificationError) -> VerificationReport {
    let lowered: LoweredModel
    do {
      lowered = try LoweredModel(lowering: canonical, provenance: model.provenance)
        .quantized(like: model)
    } catch {
      throw .export(error)
    }
    var run = try VerificationRun(self, lowered: lowered)
    let prepared =
      if let inputs {
        VerificationInputs(inputs, for: source, atMost: batchLimit(lowered.model))
      } else {
        try VerificationInputs(seed: options.seed, for: source)
      }
    try check(expected)
    for (tensors, part) in zip(prepared.runs, prepared.parts) {
      try run.compare(tensors, expected: inputs == nil ? [:] : try cut(expected, part))
    }
    return run.report()
  }

  /// How many entries run at once, so that all kept values stay within some 100 MB.
  private func batchLimit(_ model: BinaryModel) -> Int {
    let elements = model.values.reduce(1) {
      $0 + ($1.dimensions.shape(batch: 1).checkedCount ?? 0)
    }
    return min(64, max(1, (1 << 24) / elements))
  }

  private func check(_ expected: [String: Tensor]) throws(VerificationError) {
    let known = source.outputs.map { source[$0].name }
    for name in expected.keys.sorted() where !known.contains(name) {
      throw .unknownOutput(name: name, known: known)
    }
  }

  /// The recorded outputs of a part of the batch.
  private func cut(
    _ expected: [String: Tensor], _ part: (range: Range<Int>, total: Int)
  ) throws(VerificationError) -> [String: Tensor] {
    guard part.range != 0..<part.total else { return expected }
    var result: [String: Tensor] = [:]
    for (name, tensor) in expected {
      guard let rows = tensor.shape.dimensions.first, rows % part.total == 0 else {
        throw .wrongTensor(name: name)
      }
      let each = rows / part.total
      result[name] = tensor.rows(part.range.lowerBound * each..<part.range.upperBound * each)
    }
    return result
  }
}
