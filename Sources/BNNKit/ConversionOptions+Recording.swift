// What files record of the options that change the result, and how it is read again.

private enum Key {
  static let binarizedInputs = "binarize-activations"
  static let calibration = "calibration"
  static let floatStorage = "float-storage"
  static let kernelCodebook = "kernel-codebook"
  static let maximumError = "max-error"
  static let measured = "max-error-inputs"
  static let percentile = "percentile"
  static let signOfZero = "sign-of-zero"
  static let vectorStorage = "vector-storage"
  /// Followed by the name of a layer. Names stand for the regular expressions that chose them, so
  /// that nobody's file can make a reader search for ever.
  static let binarize = "binarize:"
  static let layer = "layer:"
}

extension Converter {
  /// The options in ascending order of their keys.
  ///
  /// - Parameters:
  ///   - findings: of all passes.
  ///   - graph: as the passes left it.
  func recorded(_ findings: [Finding], _ graph: Graph) -> [Provenance.Option] {
    let storage = options.storage
    var recorded = [Key.signOfZero: options.signOfZero.rawValue]
    if isLossy, let limit = options.maximumError {
      recorded[Key.maximumError] = "\(limit)"
      if !options.calibration.isEmpty { recorded[Key.measured] = options.calibration.digest }
    }
    if storage.weights != .float32 { recorded[Key.floatStorage] = storage.weights.rawValue }
    if storage.vectors != .float32 { recorded[Key.vectorStorage] = storage.vectors.rawValue }
    if storage.kernels != .all { recorded[Key.kernelCodebook] = "\(storage.kernels)" }
    if storage.percentile != 100 { recorded[Key.percentile] = "\(storage.percentile)" }
    if !storage.layers.isEmpty {
      for name in Set(graph.nodes.map(\.layerName)) {
        recorded[Key.layer + name] = storage.choices(for: name)?.settings
      }
    }
    for case .binarized(let layer) in findings {
      recorded[Key.binarize + layer.node] = "\(layer.method)"
      if layer.binarizedInputs { recorded[Key.binarizedInputs] = "yes" }
    }
    if dependsOnCalibration { recorded[Key.calibration] = options.calibration.digest }
    return recorded.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { Provenance.Option(key: $0.key, value: $0.value) }
  }
}

extension ConversionOptions {
  /// Takes over what a file recorded.
  ///
  /// - Returns: the digests of the calibration data.
  mutating func read(
    _ recorded: [Provenance.Option]
  ) throws(PassError) -> Converter.Reproduced {
    var digests = Converter.Reproduced()
    for option in recorded {
      var isKnown = true
      switch option.key {
      case Key.signOfZero: isKnown = set(&signOfZero, SignOfZero(rawValue: option.value))
      case Key.maximumError: maximumError = Double(option.value)
      case Key.floatStorage: isKnown = set(&storage.weights, FloatStorage(rawValue: option.value))
      case Key.vectorStorage: isKnown = set(&storage.vectors, VectorStorage(rawValue: option.value))
      case Key.kernelCodebook: isKnown = set(&storage.kernels, KernelLimit(text: option.value))
      case Key.percentile: isKnown = set(&storage.percentile, Double(option.value))
      case Key.binarizedInputs: binarizesActivations = true
      case Key.calibration: digests.calibration = option.value
      case Key.measured: digests.measured = option.value
      case let key where key.hasPrefix(Key.layer):
        let selection = LayerSelection.named(String(key.dropFirst(Key.layer.count)))
        let layer = try? LayerStorage(selection: selection, settings: option.value)
        if let layer { storage.layers.append(layer) }
        isKnown = layer != nil
      case let key where key.hasPrefix(Key.binarize):
        let method = BinarizationMethod(option.value)
        if let method {
          binarization.append(
            BinarizationChoice(
              layers: .named(String(key.dropFirst(Key.binarize.count))), method: method))
        }
        isKnown = method != nil
      default: break
      }
      guard isKnown else { throw .unknownOption(key: option.key, value: option.value) }
    }
    return digests
  }

  private func set<Value>(_ option: inout Value, _ value: Value?) -> Bool {
    if let value { option = value }
    return value != nil
  }
}

extension [String: Tensor] {
  /// A number that other tensors do not have, by accident, in hexadecimal: FNV-1a over 64 bits of
  /// names, types, shapes and elements, in the order of the names.
  var digest: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    func add(_ text: String) {
      for byte in text.utf8 { add(byte) }
      add(0)
    }
    for (name, tensor) in sorted(by: { $0.key < $1.key }) {
      add(name)
      add("\(tensor.elementType)\(tensor.shape)")
      for element in tensor.doubles {
        let bits = element.bitPattern
        for byte in 0..<8 { add(UInt8(truncatingIfNeeded: bits >> UInt64(8 * byte))) }
      }
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
