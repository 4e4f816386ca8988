/// A graph that went through passes, and what was lowered from it.
struct Converted {
  var graph: Graph
  var lowered: LoweredModel
  var reports: [PassReport]
  var findings: [Finding]

  /// - Parameter record: the options that a file records.
  init(
    consuming graph: inout Graph, by pipeline: PassPipeline, _ source: borrowing SourceModel,
    record: ([Finding], Graph) -> [Provenance.Option], observer: (PassReport, Graph) -> Void
  ) throws(ConversionError) {
    let file = source.fileName
    do {
      reports = try pipeline.run(on: &graph, observer: observer)
    } catch {
      throw .pass(file: file, error)
    }
    findings = reports.flatMap(\.outcome.findings)
    self.graph = graph
    let provenance = Provenance(
      producer: Converter.producer, sourceName: file.withoutFolder,
      sourceBytes: UInt64(clamping: source.byteCount), passes: pipeline.recordedNames(reports),
      options: record(findings, graph))
    do {
      lowered = try LoweredModel(lowering: graph, provenance: provenance)
    } catch {
      throw .export(file: file, error)
    }
  }

  init(
    _ graph: Graph, by pipeline: PassPipeline, _ source: borrowing SourceModel
  ) throws(ConversionError) {
    var graph = graph
    try self.init(consuming: &graph, by: pipeline, source, record: { _, _ in [] }) { _, _ in }
  }
}

/// What lossy choices changed in the outputs.
public struct LossyChange: Hashable, Sendable {
  /// Whether the inputs were those for calibration, or seeded ones.
  public var isCalibrated: Bool
  /// How many inputs were run.
  public var samples: Int
  public var outputs: OutputChange
  /// For each layer that was changed by itself the change of the outputs where no other layer is
  /// changed, on at most eight inputs.
  public var layers: [Layer]

  public struct Layer: Hashable, Sendable {
    public var name: String
    public var outputs: OutputChange
  }
}

extension PassPipeline {
  /// The names of the passes; lossy ones only where they did something.
  fileprivate func recordedNames(_ reports: [PassReport]) -> [String] {
    zip(passes, reports).compactMap { pass, report in
      pass is any LossyPass && report.outcome.rewrites.isEmpty ? nil : pass.name
    }
  }
}

// MARK: Passes

extension Converter {
  /// The names of the passes that options add to the pipeline.
  package static let lossyPasses = [
    ApproximateWeights(choices: []).name, LimitKernels(.init()).name, RoundNumbers(.init()).name,
  ]

  /// Whether the options or passes of the pipeline may change what the network computes.
  var isLossy: Bool { options.isLossy || pipeline.passes.contains { $0 is any LossyPass } }

  /// Whether the graph depends on the calibration data, and not on the source alone.
  var dependsOnCalibration: Bool {
    options.needForCalibration != nil
      || options.storage.limitsKernels && !options.calibration.isEmpty
  }

  /// The pipeline without what may change what the network computes.
  var exactPipeline: PassPipeline {
    PassPipeline(pipeline.passes.filter { !($0 is any LossyPass) })
  }

  /// The pipeline with the passes that the options ask for.
  package func lossyPipeline(for graph: Graph) -> PassPipeline {
    var passes = pipeline.passes
    let storage = options.storage
    if !options.binarization.isEmpty {
      // Once all layers are convolutions, and before anything looks at signs: inputs may become some.
      let place = ["canonicalize-products", "canonicalize-signs"].lazy
        .compactMap { name in passes.firstIndex { $0.name == name } }.first
      passes.insert(
        ApproximateWeights(
          choices: options.binarization, binarizesInputs: options.binarizesActivations,
          calibration: calibration(for: graph, atMost: 16), progress: progress),
        at: place.map { $0 + 1 } ?? 0)
    }
    if storage.limitsKernels {
      passes.append(LimitKernels(storage, calibration: calibration(for: graph, atMost: 1)))
    }
    if storage.roundsNumbers { passes.append(RoundNumbers(storage)) }
    return PassPipeline(passes)
  }

  private func calibration(for graph: Graph, atMost entries: Int) -> [[String: Tensor]] {
    guard dependsOnCalibration else { return [] }
    return VerificationInputs(options.calibration, for: graph, atMost: entries).runs
  }

  /// The calibration data are there where they are needed, are those that made the file which is
  /// made again, and are inputs of the model.
  ///
  /// - Throws: ``ConversionError/binarizationWithoutCalibration(file:for:)``,
  ///   ``ConversionError/otherCalibration(file:)`` and
  ///   ``ConversionError/calibrationInputs(file:_:)``.
  func checkCalibration(_ graph: Graph, file: String) throws(ConversionError) {
    if let reason = options.needForCalibration, options.calibration.isEmpty {
      throw .binarizationWithoutCalibration(file: file, for: reason)
    }
    if let reproduced {
      let digest = dependsOnCalibration ? options.calibration.digest : nil
      guard digest == reproduced.calibration else { throw .otherCalibration(file: file) }
    }
    guard dependsOnCalibration else { return }
    do {
      for run in VerificationInputs(options.calibration, for: graph, atMost: 16).runs {
        try ReferenceExecutor(graph).check(run)
      }
    } catch {
      throw .calibrationInputs(file: file, error)
    }
  }
}

// MARK: What changed

extension Converter {
  /// What seeded inputs are made of where nobody says. The change of outputs is measured on these.
  package static let seed: UInt64 = 1

  /// How far outputs may be from the source's on the inputs on which the conversion measured that;
  /// nil for others.
  ///
  /// - Parameter seed: what the inputs were made of; nil where they are those for calibration.
  package func outputLimit(seed: UInt64?) -> Double? {
    guard let reproduced else { return nil }
    let isSame =
      reproduced.measured.map { seed == nil && $0 == options.calibration.digest }
      ?? (seed == Converter.seed)
    return isSame ? options.maximumError : nil
  }
}

extension Converter {
  /// How many of the inputs for calibration single layers are tried with.
  private static let layerSamples = 8

  /// The inputs that lossy choices are made and measured with, one entry of the batch per run.
  func lossyInputs(
    for graph: Graph, _ source: borrowing SourceModel
  ) throws(ConversionError) -> [[String: Tensor]] {
    guard options.calibration.isEmpty else {
      return VerificationInputs(options.calibration, for: graph, atMost: 1).runs
    }
    do {
      return try VerificationInputs(seed: Converter.seed, for: graph).runs
    } catch {
      throw .noInputs(file: source.fileName, error)
    }
  }

  /// Measures what lossy choices changed.
  ///
  /// - Throws: ``ConversionError/outputChange(file:error:limit:)`` where it is more than the options
  ///   allow.
  func change(
    from exact: BinaryModel, to model: BinaryModel, on inputs: [[String: Tensor]],
    _ source: borrowing SourceModel
  ) throws(ConversionError) -> LossyChange {
    let change: LossyChange
    do {
      let session = try InferenceSession(exact)
      var outputs: [[String: Tensor]] = []
      for input in inputs {
        let found = try session.run(input).map { ($0.name, $0.tensor) }
        outputs.append(Dictionary(found) { first, _ in first })
      }
      change = LossyChange(
        isCalibrated: !options.calibration.isEmpty, samples: inputs.count,
        outputs: try OutputChange(from: outputs, to: model, on: inputs),
        layers: try layerChanges(
          from: exact, to: model, on: inputs,
          outputs: Array(outputs.prefix(Converter.layerSamples))))
    } catch {
      throw .calibration(file: source.fileName, error)
    }
    let error = change.outputs.maximumError
    if let limit = options.maximumError, !(error <= limit) {
      throw .outputChange(file: source.fileName, error: error, limit: limit)
    }
    return change
  }

  private func layerChanges(
    from exact: BinaryModel, to model: BinaryModel, on inputs: [[String: Tensor]],
    outputs: [[String: Tensor]]
  ) throws(RuntimeError) -> [LossyChange.Layer] {
    // Where inputs became signs, a layer does not fit among the others.
    guard exact.layers.count == model.layers.count, exact.values == model.values else { return [] }
    var changes: [LossyChange.Layer] = []
    for (index, layer) in model.layers.enumerated() {
      let old = exact.layers[index]
      guard old.operation != layer.operation, old.inputs == layer.inputs,
        old.outputs == layer.outputs
      else { continue }
      var single = exact
      single.layers[index] = layer
      changes.append(
        .init(name: layer.name, outputs: try OutputChange(from: outputs, to: single, on: inputs)))
    }
    return changes
  }
}
