/// Turns an imported network into a `.bnn` model.
///
///     let source = try SourceModel(onnxFile: "network.onnx")
///     let conversion = try Converter().convert(source)
///     try conversion.model.write(toFile: "network.bnn", overwriting: false)
public struct Converter: Sendable {
  /// Name and version of the toolkit, as files record it.
  public static let producer = "bnn-toolkit \(toolkitVersion)"

  public var options: ConversionOptions
  /// The passes that run; change it to add passes of your own. Those that make lossy choices are
  /// added to it.
  public var pipeline: PassPipeline
  /// Whether a file is there already, of which only the graph is to be made again.
  private var isReproducing = false

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
  /// - Throws: ``PassError/unknownPass(_:known:)`` if the file names a pass that does not exist
  ///   here.
  public init(reproducing provenance: Provenance) throws(PassError) {
    var options = ConversionOptions(allowsFloat: true)
    options.read(provenance.options)
    let standard = PassPipeline.standard(signOfZero: options.signOfZero)
    let names = standard.passes.map(\.name)
    let known = names + Converter.lossyPasses
    for pass in provenance.passes where !known.contains(pass) {
      throw .unknownPass(pass, known: known)
    }
    options.disabledPasses = names.filter { !provenance.passes.contains($0) }
    try self.init(options: options)
    isReproducing = true
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
    let exact = options.isLossy ? try Converted(graph, by: pipeline, source) : nil
    let inputs = try lossyInputs(for: graph, source)
    let pipeline = try pipeline(with: options.calibration.isEmpty ? [] : inputs)
    let result = try Converted(
      consuming: &graph, by: pipeline, source, options: options.recorded, observer: observer)
    var lowered = result.lowered
    let findings = result.reports.flatMap(\.outcome.findings)
    guard options.allowsFloat || lowered.model.layers.contains(where: \.operation.isBinary) else {
      throw .nothingBinary(file: source.fileName, findings.compactMap(\.keptFloat))
    }
    let unquantized =
      options.storage.computesInIntegers && !isReproducing
      ? try quantize(&lowered, result.graph, file: source.fileName) : []
    var conversion = Conversion(
      sourceName: source.fileName, sourceBytes: source.byteCount,
      checkpointUse: source.checkpointUse, canonical: result.graph, exact: exact?.graph,
      lowered: lowered, passReports: result.reports, unquantized: unquantized,
      unreadWeights: source.unreadWeights)
    if let exact, !isReproducing {
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

/// The result of a conversion.
public struct Conversion: Sendable {
  /// The path that the network was read from, and its size.
  public let sourceName: String
  public let sourceBytes: Int
  /// How a checkpoint gave the network's parameters; nil where none did.
  public let checkpointUse: CheckpointUse?
  /// The graph after all passes: what the file means.
  public let canonical: Graph
  /// The graph before lossy choices changed it; nil where there were none.
  public let exact: Graph?
  /// The model, and which of its layers comes from which node.
  public let lowered: LoweredModel
  public let passReports: [PassReport]
  /// Layers with real weights that ``FloatStorage/int8Compute`` left as they are.
  public let unquantized: [UnquantizedLayer]

  /// Weights of the source that no output depends on.
  public let unreadWeights: [UnreadWeights]
  /// What lossy choices changed; nil where there were none.
  public internal(set) var change: LossyChange?

  /// What the file holds.
  public var model: BinaryModel { lowered.model }
  /// What the passes found out.
  public var findings: [Finding] { passReports.flatMap(\.outcome.findings) }
}

/// Why a network could not be converted.
public enum ConversionError: Error, Hashable, Sendable {
  case pass(file: String, PassError)
  case export(file: String, ExportError)
  /// No convolution or matrix product became binary; why, for each.
  case nothingBinary(file: String, [KeptFloat])
  /// Layers that should compute in integers read numbers of which no range is known.
  case calibrationMissing(file: String, layers: [String])
  /// The model does not run on the inputs for calibration.
  case calibration(file: String, RuntimeError)
  /// There are no inputs to measure lossy choices with.
  case noInputs(file: String, VerificationError)
  /// Lossy choices change the outputs by more than is allowed.
  case outputChange(file: String, error: Double, limit: Double)
}

/// A layer that stayed real-valued.
public struct KeptFloat: Hashable, Sendable {
  public var node: String
  public var reason: String
}

extension String {
  /// The last part of a path, without characters that a file's metadata may not hold.
  var withoutFolder: String {
    let last = split(separator: "/").last.map(String.init) ?? ""
    return String(
      String.UnicodeScalarView(last.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }))
  }
}

extension Finding {
  var keptFloat: KeptFloat? {
    if case .keptFloat(let node, let reason) = self {
      KeptFloat(node: node, reason: reason)
    } else {
      nil
    }
  }
}

extension ConversionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .pass(let file, let error): return "\(file): \(error)"
    case .export(let file, let error): return "\(file): \(error)"
    case .nothingBinary(let file, let reasons):
      let head = "\(file): no layer is binary; pass --allow-float to convert it as it is"
      return ([head] + reasons.prefix(8).map { "'\($0.node)': \($0.reason)" })
        .joined(separator: "\n  ")
    case .calibrationMissing(let file, let layers):
      let names = layers.prefix(8).map { "'\($0)'" }.joined(separator: ", ")
      return
        "\(file): int8-compute needs to know what \(names)\(layers.count > 8 ? ", …" : "") read; "
        + "give real inputs with --calibration [NAME=]FILE"
    case .calibration(let file, let error): return "\(file): --calibration: \(error)"
    case .noInputs(let file, let error):
      return "\(file): no inputs to measure the change with: \(error); give --calibration"
    case .outputChange(let file, let error, let limit):
      return
        "\(file): outputs change by \(shortened(error)) of the largest, --max-error allows "
        + "\(shortened(limit)); "
        + "store more of it in float32, for example with --layer 'REGEX=float32'"
    }
  }
}
