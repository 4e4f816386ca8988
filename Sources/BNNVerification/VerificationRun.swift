import BNNExport
import BNNFormat
import BNNGraph
import BNNRuntime
import BNNTensor

/// The comparisons of one verification, which add up over the runs of its inputs.
struct VerificationRun {
  private let verifier: Verifier
  private let lowered: LoweredModel
  /// What was lowered before lossy choices, where there are some.
  private let exact: LoweredModel?
  private let stored: [StoredComparison]
  /// One per layer, up to the first whose structure differs.
  private var layers: [LayerComparison] = []
  private var sourceComparison: SourceComparison
  private let session: InferenceSession
  /// The model with all its bits as further outputs; nil if it cannot be compared bit by bit.
  private var exposed: ExposedSession?
  private var endToEnd = OutputComparison()
  private var change = OutputChange()
  private var bitFlips = 0
  private var recorded: OutputComparison?
  private var samples = 0

  init(_ verifier: Verifier, lowered: LoweredModel) throws(VerificationError) {
    self.verifier = verifier
    self.lowered = lowered
    let (model, options) = (verifier.model, verifier.options)
    stored = model.layers.indices.map { StoredComparison($0, of: model, against: lowered.model) }
    for index in stored.prefix(while: { !$0.isStructural }).indices {
      layers.append(
        try LayerComparison(
          index, of: model, lowered: lowered, canonical: verifier.canonical,
          tolerance: options.tolerance, threads: options.threads))
    }
    var exact: LoweredModel?
    if let graph = verifier.exact {
      do throws(ExportError) {
        exact = try LoweredModel(lowering: graph, provenance: model.provenance)
      } catch {
        throw .export(error)
      }
    }
    sourceComparison = SourceComparison(
      verifier.source, exact ?? lowered, tolerance: options.tolerance)
    self.exact = exact
    session = try attempt { () throws(RuntimeError) in
      try InferenceSession(model, threads: options.threads)
    }
    if hasSameStructure {
      exposed = try ExposedSession(model, threads: options.threads)
    }
  }

  private var hasSameStructure: Bool {
    stored.count == lowered.model.layers.count && !stored.contains(where: \.isStructural)
      && verifier.model.inputs == lowered.model.inputs
      && verifier.model.outputs == lowered.model.outputs
  }

  // MARK: Comparing

  mutating func compare(
    _ inputs: [String: Tensor], expected: [String: Tensor]
  ) throws(VerificationError) {
    var kept = Set(lowered.values.map(\.value))
    // What a layer reads may be another value's memory in a different order.
    for case let node? in lowered.layers.map(\.node) {
      kept.formUnion(verifier.canonical.nodes[node].inputs.compactMap { $0 })
    }
    let own = verifier.canonical.inputsOfItsTypes(inputs)
    let reference = try attempt { () throws(GraphError) in
      try ReferenceExecutor(verifier.canonical).run(own, keeping: kept)
    }
    for index in layers.indices { try layers[index].compare(reference) }
    let sourceOutputs = try sourceComparison.compare(
      inputs, canonical: try exactReference(own) ?? reference,
      outputs: (verifier.exact ?? verifier.canonical).outputs)
    let found = try attempt { () throws(RuntimeError) in try session.run(own) }
    let byName = Dictionary(found.map { ($0.name, $0.tensor) }) { first, _ in first }
    for (id, name) in zip(verifier.source.outputs, outputNames) {
      guard let source = sourceOutputs[id], let result = byName[name] else {
        throw .wrongTensor(name: name)
      }
      endToEnd.compare(source, result)
      change.compare(name, source, result)
      samples += id == verifier.source.outputs.first ? source.shape.dimensions.first ?? 1 : 0
      guard let tensor = expected[verifier.source[id].name] else { continue }
      guard tensor.count == result.count else { throw .wrongTensor(name: name) }
      recorded = recorded ?? OutputComparison()
      recorded?.compare(tensor, result)
    }
    bitFlips += try exposed?.flips(own, reference, lowered) ?? 0
  }

  /// The values of the canonical graph before lossy choices.
  private func exactReference(
    _ inputs: [String: Tensor]
  ) throws(VerificationError) -> [ValueID: Tensor]? {
    guard let graph = verifier.exact, let exact else { return nil }
    return try attempt { () throws(GraphError) in
      try ReferenceExecutor(graph).run(inputs, keeping: Set(exact.values.map(\.value)))
    }
  }

  /// The model's names of the source's outputs, which stand in the same order.
  private var outputNames: [String] {
    lowered.model.outputs.map { lowered.model.values[$0].name }
  }

  // MARK: Reporting

  func report() -> VerificationReport {
    let entries = verifier.model.layers.indices.map(layerReport)
    var total = endToEnd.result
    total.flips = bitFlips + sourceComparison.flips
    let reasons = reasons(entries, total)
    return VerificationReport(
      verdict: reasons.isEmpty ? .match : .mismatch, reasons: reasons, layers: entries,
      canonicalization: sourceComparison.result, endToEnd: total, expected: recorded?.result,
      signZeros: sourceComparison.zeros, samples: samples, isLossy: isLossy)
  }

  private var isLossy: Bool {
    verifier.exact != nil
      || verifier.model.layers.contains {
        if case .quantizedConvolution = $0.operation { true } else { false }
      }
  }

  private func layerReport(_ index: Int) -> VerificationReport.Layer {
    let layer = verifier.model.layers[index]
    let run = layers.indices.contains(index) ? layers[index].result : nil
    return .init(
      name: layer.name, kind: verifier.model.kind(of: layer), operation: layer.operation.kind,
      compared: stored[index].compared + (run?.compared ?? 0),
      mismatches: stored[index].mismatches + (run?.mismatches ?? 0),
      storedMismatches: stored[index].mismatches, flips: run?.flips ?? 0,
      maximumError: run?.maximumError ?? 0,
      distance: layers.indices.contains(index) ? layers[index].distance : nil)
  }

  private func reasons(
    _ entries: [VerificationReport.Layer], _ total: VerificationReport.Comparison
  ) -> [String] {
    let tolerance = verifier.options.tolerance
    var reasons: [String] = []
    if let first = entries.firstIndex(where: { $0.mismatches > 0 }) {
      reasons.append(reason(entries[first], stored[first]))
    }
    if stored.count != lowered.model.layers.count {
      reasons.append(
        "the file has \(stored.count) layers, the canonical graph gives "
          + "\(lowered.model.layers.count)")
    } else if !hasSameStructure, !stored.contains(where: \.isStructural) {
      reasons.append("the file has other inputs or outputs than the canonical graph")
    }
    if sourceComparison.isMismatch {
      reasons.append(
        "the canonical graph does not compute what the source does: error "
          + shortened(sourceComparison.result.maximumError))
    }
    if isLossy, let limit = verifier.options.maximumError, change.maximumError > limit + tolerance {
      reasons.append(
        "outputs are \(shortened(change.maximumError)) of the largest away from the source's; "
          + "\(shortened(limit)) is allowed")
    }
    // What a lossy choice changed is not the file's mistake: its layers were compared by themselves.
    guard !isLossy else { return reasons }
    if let recorded {
      if recorded.maximumError > tolerance || recorded.result.top1Agreement < 1 {
        reasons.append("the recorded outputs are not reproduced")
      }
    } else if total.flips == 0, total.maximumError > tolerance, sourceComparison.isExplained {
      reasons.append("outputs differ end to end though no sign flipped")
    }
    return reasons
  }

  private func reason(
    _ layer: VerificationReport.Layer, _ stored: StoredComparison
  ) -> String {
    if stored.isStructural { return "layer '\(layer.name)' is not the canonical graph's" }
    if stored.mismatches > 0 {
      return "layer '\(layer.name)': \(stored.mismatches) of \(stored.compared) stored bits and "
        + "numbers differ from the canonical graph's"
    }
    return "layer '\(layer.name)' (\(layer.kind)): \(layer.mismatches) of \(layer.compared) bits "
      + "and numbers differ from the reference's"
  }
}

/// Differences of outputs.
struct OutputComparison {
  private(set) var maximumError = 0.0
  private var same = 0
  private var rows = 0

  mutating func compare(_ reference: Tensor, _ found: Tensor) {
    guard reference.count == found.count else {
      maximumError = .greatestFiniteMagnitude
      return
    }
    maximumError = max(
      maximumError, relativeError(reference.floats, found.floats, largest: reference.largest))
    let agreement = agreement(reference, found)
    same += agreement.same
    rows += agreement.rows
  }

  var result: VerificationReport.Comparison {
    .init(
      flips: 0, maximumError: maximumError,
      top1Agreement: rows == 0 ? 1 : Double(same) / Double(rows))
  }
}

/// A model whose bits are all outputs.
struct ExposedSession {
  private let session: InferenceSession
  private let model: BinaryModel
  private var bits: [(name: String, value: Int)] = []

  /// - Returns: nil when no value of the model is of signs.
  init?(_ model: BinaryModel, threads: Int) throws(VerificationError) {
    var open = model
    for value in model.values.indices
    where model.values[value].elementType == .sign && !model.inputs.contains(value) {
      if !open.outputs.contains(value) { open.outputs.append(value) }
      // Unnamed inside the model, so that no name is taken twice.
      if open.values[value].name.isEmpty { open.values[value].name = "\u{1}signs \(value)" }
      bits.append((open.values[value].name, value))
    }
    guard !bits.isEmpty else { return nil }
    self.model = model
    session = try attempt { () throws(RuntimeError) in
      try InferenceSession(open, threads: threads)
    }
  }

  /// Bits that differ from the reference's, everything before them computed by the runtime.
  func flips(
    _ inputs: [String: Tensor], _ reference: [ValueID: Tensor], _ lowered: LoweredModel
  ) throws(VerificationError) -> Int {
    let found = try attempt { () throws(RuntimeError) in try session.run(inputs) }
    let byName = Dictionary(found.map { ($0.name, $0.tensor) }) { first, _ in first }
    var flips = 0
    for (name, value) in bits {
      let source = lowered.values[value]
      guard let a = reference[source.value]?.physical(source.permutation, as: .sign).packed,
        let b = byName[name]?.packed, a.shape == b.shape
      else { continue }
      flips += differences(a.bytes, b.bytes)
    }
    return flips
  }
}

extension Graph {
  /// The source's inputs in the types that passes gave them, where those hold the same numbers.
  fileprivate func inputsOfItsTypes(_ inputs: [String: Tensor]) -> [String: Tensor] {
    var result = inputs
    for id in self.inputs {
      guard let type = self[id].type?.elementType else { continue }
      result[self[id].name] = inputs[self[id].name].map { $0.converted(to: type) ?? $0 }
    }
    return result
  }
}
