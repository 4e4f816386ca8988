/// A graph that went through passes, and what was lowered from it.
struct Converted {
  var graph: Graph
  var lowered: LoweredModel
  var reports: [PassReport]

  init(
    consuming graph: inout Graph, by pipeline: PassPipeline, _ source: borrowing SourceModel,
    options: [Provenance.Option], observer: (PassReport, Graph) -> Void
  ) throws(ConversionError) {
    let file = source.fileName
    do {
      reports = try pipeline.run(on: &graph, observer: observer)
    } catch {
      throw .pass(file: file, error)
    }
    self.graph = graph
    let provenance = Provenance(
      producer: Converter.producer, sourceName: file.withoutFolder,
      sourceBytes: UInt64(clamping: source.byteCount), passes: pipeline.passes.map(\.name),
      options: options)
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
    try self.init(consuming: &graph, by: pipeline, source, options: []) { _, _ in }
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

extension Converter {
  /// The names of the passes that options add to the pipeline.
  static let lossyPasses = [LimitKernels(.init()).name, RoundNumbers(.init()).name]

  /// How many of the inputs for calibration single layers are tried with.
  private static let layerSamples = 8

  /// The pipeline with the passes that the options ask for.
  ///
  /// - Parameter calibration: inputs by name, one entry per run.
  func pipeline(with calibration: [[String: Tensor]]) throws(ConversionError) -> PassPipeline {
    var pipeline = pipeline
    do {
      if options.storage.limitsKernels {
        try pipeline.append(LimitKernels(options.storage, calibration: calibration))
      }
      if options.storage.roundsNumbers { try pipeline.append(RoundNumbers(options.storage)) }
    } catch {
      throw .pass(file: "", error)
    }
    return pipeline
  }

  /// The inputs that lossy choices are made and measured with, one entry of the batch per run.
  func lossyInputs(
    for graph: Graph, _ source: borrowing SourceModel
  ) throws(ConversionError) -> [[String: Tensor]] {
    guard options.isLossy else { return [] }
    guard options.calibration.isEmpty else {
      return VerificationInputs(options.calibration, for: graph, atMost: 1).runs
    }
    do {
      return try VerificationInputs(seed: 0, for: graph).runs
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
      change = LossyChange(
        isCalibrated: !options.calibration.isEmpty, samples: inputs.count,
        outputs: try OutputChange(from: exact, to: model, on: inputs),
        layers: try layerChanges(from: exact, to: model, on: inputs))
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
    from exact: BinaryModel, to model: BinaryModel, on inputs: [[String: Tensor]]
  ) throws(RuntimeError) -> [LossyChange.Layer] {
    guard exact.layers.count == model.layers.count else { return [] }
    var changes: [LossyChange.Layer] = []
    for (index, layer) in model.layers.enumerated() {
      let old = exact.layers[index]
      guard old.operation != layer.operation, old.inputs == layer.inputs,
        old.outputs == layer.outputs
      else { continue }
      var single = exact
      single.layers[index] = layer
      changes.append(
        .init(
          name: layer.name,
          outputs: try OutputChange(
            from: exact, to: single, on: Array(inputs.prefix(Converter.layerSamples)))))
    }
    return changes
  }
}
