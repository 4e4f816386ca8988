/// Turns an imported network into a `.bnn` model.
///
///     let source = try SourceModel(onnxFile: "network.onnx")
///     let conversion = try Converter().convert(source)
///     try conversion.model.write(toFile: "network.bnn", overwriting: false)
public struct Converter: Sendable {
  /// Name and version of the toolkit, as files record it.
  public static let producer = "bnn-toolkit \(toolkitVersion)"

  public var options: ConversionOptions
  /// The passes that run; change it to add passes of your own. Those that the options ask for as
  /// lossy choices are added to it.
  public var pipeline: PassPipeline
  /// Called with a line for people who wait, where a pass takes long.
  public var progress: @Sendable (String) -> Void = { _ in }
  /// The file that is to be made again, up to what it holds beside the graph.
  private(set) var reproduced: Reproduced?

  struct Reproduced: Sendable {
    /// The digest of the calibration data that made the file; nil where none did.
    var calibration: String?
    /// The digest of those on which the change of the outputs was measured; nil for seeded ones.
    var measured: String?
  }

  /// - Throws: ``PassError/unknownPass(_:known:)`` if a disabled pass does not exist.
  public init(options: ConversionOptions = .init()) throws(PassError) {
    self.options = options
    pipeline = .standard(signOfZero: options.signOfZero)
    for name in options.disabledPasses { try pipeline.remove(name) }
  }

  /// The converter that made a model, as far as the file records it. It gives the same canonical
  /// graph; weights that the file stores as bytes follow from that graph and from what the file
  /// holds, so the converter leaves them real.
  ///
  /// Where a choice was made with calibration data, the options have to be given the same.
  ///
  /// - Throws: ``PassError/unknownPass(_:known:)`` if the file names a pass that does not exist
  ///   here, ``PassError/unknownOption(key:value:)`` if it has an option that is not known here.
  public init(reproducing provenance: Provenance) throws(PassError) {
    var options = ConversionOptions(allowsFloat: true)
    let digests = try options.read(provenance.options)
    let names = PassPipeline.standard(signOfZero: options.signOfZero).passes.map(\.name)
    let known = names + Converter.lossyPasses
    for pass in provenance.passes where !known.contains(pass) {
      throw .unknownPass(pass, known: known)
    }
    options.disabledPasses = names.filter { !provenance.passes.contains($0) }
    try self.init(options: options)
    reproduced = digests
  }

  /// Converts a network.
  ///
  /// - Parameters:
  ///   - source: the network; its weights are released as they are folded, unless the caller
  ///     keeps the model.
  ///   - observer: called after each pass, with the graph as the pass left it.
  /// - Throws: ``ConversionError``.
  public func convert(
    _ source: consuming SourceModel, observer: (PassReport, Graph) -> Void = { _, _ in }
  ) throws(ConversionError) -> Conversion {
    var graph = source.graph
    source.graph = Graph()
    try checkCalibration(graph, file: source.fileName)
    let passes = lossyPipeline(for: graph)
    let exact = isLossy ? try Converted(graph, by: exactPipeline, source) : nil
    let inputs = isLossy ? try lossyInputs(for: graph, source) : []
    let result = try Converted(
      consuming: &graph, by: passes, source, record: recorded, observer: observer)
    for case .unmatched(let layers, let candidates) in result.findings {
      throw .nothingToBinarize(file: source.fileName, layers, candidates: candidates)
    }
    let names = result.graph.nodes.map(\.layerName)
    for layer in options.storage.layers where !names.contains(where: layer.selection.matches) {
      throw .noLayerToStore(file: source.fileName, layer.selection, names: names)
    }
    var lowered = result.lowered
    guard
      options.allowsFloat || lowered.model.layers.contains(where: \.operation.isBinary)
        || result.findings.contains(where: \.isBinarization)
    else {
      throw .nothingBinary(file: source.fileName, result.findings.compactMap(\.keptFloat))
    }
    let unquantized =
      options.storage.computesInIntegers && reproduced == nil
      ? try quantize(&lowered, result.graph, file: source.fileName) : []
    var conversion = Conversion(
      sourceName: source.fileName, sourceBytes: source.byteCount,
      checkpointUse: source.checkpointUse, canonical: result.graph, exact: exact?.graph,
      lowered: lowered, passReports: result.reports, unquantized: unquantized,
      unreadWeights: source.unreadWeights)
    if let exact, reproduced == nil {
      conversion.change = try change(
        from: exact.lowered.model, to: lowered.model, on: inputs, source)
    }
    return conversion
  }

  /// The source's graph in which every recognized sign gives the bit that the conversion gives
  /// it at 0, and which computes in float32; nothing else is changed. What verification compares
  /// with.
  public func resolveSigns(of source: SourceModel) throws(ConversionError) -> Graph {
    var graph = source.graph
    let passes: [any Pass] = [
      FoldConstants(), ComputeInFloat32(), CanonicalizeSigns(signOfZero: options.signOfZero),
    ]
    do {
      try PassPipeline(passes).run(on: &graph)
    } catch {
      throw .pass(file: source.fileName, error)
    }
    return graph
  }
}
