/// What a conversion may be told.
public struct ConversionOptions: Hashable, Sendable {
  /// The bit for the 0 of a plain `Sign(0)`.
  public var signOfZero: SignOfZero
  /// Passes of the standard pipeline that are left out.
  public var disabledPasses: [String]
  /// Whether a model in which nothing is binary is converted all the same.
  public var allowsFloat: Bool
  /// What the weights of real-valued convolutions and dense layers become.
  public var floatStorage: FloatStorage
  /// Real inputs by name, any batch of them, for ``FloatStorage/int8Compute``: what a layer reads of
  /// them is the range that its bytes stand for. Not recorded in the file.
  public var calibration: [String: Tensor]
  /// How far a layer in integers may be from the source's real values, as a part of the largest, for
  /// verification to accept it. Recorded in the file.
  public var maximumError: Double?

  public init(
    signOfZero: SignOfZero = .plus, disabledPasses: [String] = [], allowsFloat: Bool = false,
    floatStorage: FloatStorage = .float32, calibration: [String: Tensor] = [:],
    maximumError: Double? = nil
  ) {
    self.signOfZero = signOfZero
    self.disabledPasses = disabledPasses
    self.allowsFloat = allowsFloat
    self.floatStorage = floatStorage
    self.calibration = calibration
    self.maximumError = maximumError
  }
}

/// Turns an imported network into a `.bnn` model.
///
///     let source = try SourceModel(onnxFile: "network.onnx")
///     let conversion = try Converter().convert(source)
///     try conversion.model.write(toFile: "network.bnn", overwriting: false)
public struct Converter: Sendable {
  /// Name and version of the toolkit, as files record it.
  public static let producer = "bnn-toolkit \(toolkitVersion)"

  public var options: ConversionOptions
  /// The passes that run; change it to add passes of your own.
  public var pipeline: PassPipeline

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
    for option in provenance.options {
      switch option.key {
      case OptionKey.signOfZero:
        options.signOfZero = SignOfZero(rawValue: option.value) ?? .plus
      case OptionKey.maximumError: options.maximumError = Double(option.value)
      default: break
      }
    }
    let standard = PassPipeline.standard(signOfZero: options.signOfZero)
    let names = standard.passes.map(\.name)
    for pass in provenance.passes where !names.contains(pass) {
      throw .unknownPass(pass, known: names)
    }
    options.disabledPasses = names.filter { !provenance.passes.contains($0) }
    try self.init(options: options)
  }

  private enum OptionKey {
    static let floatStorage = "float-storage"
    static let maximumError = "max-error"
    static let signOfZero = "sign-of-zero"
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
    let reports: [PassReport]
    do {
      reports = try pipeline.run(on: &graph, observer: observer)
    } catch {
      throw .pass(file: source.fileName, error)
    }
    let provenance = Provenance(
      producer: Converter.producer, sourceName: source.fileName.withoutFolder,
      sourceBytes: UInt64(clamping: source.byteCount), passes: pipeline.passes.map(\.name),
      options: recordedOptions)
    var lowered: LoweredModel
    do {
      lowered = try LoweredModel(lowering: graph, provenance: provenance)
    } catch {
      throw .export(file: source.fileName, error)
    }
    let findings = reports.flatMap(\.outcome.findings)
    guard options.allowsFloat || lowered.model.layers.contains(where: \.operation.isBinary) else {
      throw .nothingBinary(file: source.fileName, findings.compactMap(\.keptFloat))
    }
    var unquantized: [UnquantizedLayer] = []
    if options.floatStorage == .int8Compute {
      unquantized = try quantize(&lowered, graph, file: source.fileName)
    }
    return Conversion(
      sourceName: source.fileName, sourceBytes: source.byteCount,
      checkpointUse: source.checkpointUse, canonical: graph, lowered: lowered, passReports: reports,
      unquantized: unquantized)
  }

  /// In ascending order of their keys.
  private var recordedOptions: [Provenance.Option] {
    var recorded: [Provenance.Option] = []
    if options.floatStorage != .float32 {
      recorded.append(.init(key: OptionKey.floatStorage, value: options.floatStorage.rawValue))
      if let error = options.maximumError {
        recorded.append(.init(key: OptionKey.maximumError, value: "\(error)"))
      }
    }
    recorded.append(.init(key: OptionKey.signOfZero, value: options.signOfZero.rawValue))
    return recorded
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
  /// The model, and which of its layers comes from which node.
  public let lowered: LoweredModel
  public let passReports: [PassReport]
  /// Layers with real weights that ``FloatStorage/int8Compute`` left as they are.
  public let unquantized: [UnquantizedLayer]

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
}

/// A layer that stayed real-valued.
public struct KeptFloat: Hashable, Sendable {
  public var node: String
  public var reason: String
}

extension String {
  /// The last part of a path, without characters that a file's metadata may not hold.
  fileprivate var withoutFolder: String {
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
    }
  }
}
