/// What a conversion may be told.
public struct ConversionOptions: Hashable, Sendable {
  /// The bit for the 0 of a plain `Sign(0)`.
  public var signOfZero: SignOfZero
  /// Passes of the standard pipeline that are left out.
  public var disabledPasses: [String]
  /// Whether a model in which nothing is binary is converted all the same.
  public var allowsFloat: Bool
  /// What may be rounded or replaced for a smaller file.
  public var storage: StorageOptions
  /// Real inputs by name, any batch of them, which show what layers read and what lossy choices
  /// change. Not recorded in the file.
  public var calibration: [String: Tensor]
  /// How far outputs may move by lossy choices, as a part of the largest output on the inputs for
  /// calibration or, without those, on eight seeded ones; nil for any error. Recorded in the file.
  public var maximumError: Double?

  public init(
    signOfZero: SignOfZero = .plus, disabledPasses: [String] = [], allowsFloat: Bool = false,
    storage: StorageOptions = .init(), calibration: [String: Tensor] = [:],
    maximumError: Double? = nil
  ) {
    self.signOfZero = signOfZero
    self.disabledPasses = disabledPasses
    self.allowsFloat = allowsFloat
    self.storage = storage
    self.calibration = calibration
    self.maximumError = maximumError
  }
}

extension ConversionOptions {
  /// The same without lossy choices.
  var exact: ConversionOptions {
    var options = self
    options.storage = StorageOptions()
    options.maximumError = nil
    options.calibration = [:]
    return options
  }

  /// Whether the network may compute something else than the source.
  public var isLossy: Bool { storage.isLossy }
}

// MARK: In files

extension ConversionOptions {
  private enum Key {
    static let floatStorage = "float-storage"
    static let kernelCodebook = "kernel-codebook"
    static let layer = "layer "
    static let maximumError = "max-error"
    static let percentile = "percentile"
    static let signOfZero = "sign-of-zero"
    static let vectorStorage = "vector-storage"
  }

  /// What a file says of the options that change the result, in ascending order of their keys.
  var recorded: [Provenance.Option] {
    var options: [String: String] = [Key.signOfZero: signOfZero.rawValue]
    if isLossy {
      options[Key.maximumError] = maximumError.map { "\($0)" }
      if storage.weights != .float32 { options[Key.floatStorage] = storage.weights.rawValue }
      if storage.vectors != .float32 { options[Key.vectorStorage] = storage.vectors.rawValue }
      if storage.kernels != .all { options[Key.kernelCodebook] = "\(storage.kernels)" }
      if storage.percentile != 100 { options[Key.percentile] = "\(storage.percentile)" }
      for (index, layer) in storage.layers.enumerated() {
        // Their order counts: numbers of equal width keep it.
        let number = String(index + 1)
        let zeros = String(repeating: "0", count: max(0, 4 - number.count))
        options[Key.layer + zeros + number] = "\(layer)"
      }
    }
    return options.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
      .map { Provenance.Option(key: $0.key, value: $0.value) }
  }

  /// Takes over what a file recorded; what is not understood is as if it were not there.
  mutating func read(_ recorded: [Provenance.Option]) {
    for option in recorded {
      switch option.key {
      case Key.signOfZero: signOfZero = SignOfZero(rawValue: option.value) ?? .plus
      case Key.maximumError: maximumError = Double(option.value)
      case Key.floatStorage: storage.weights = FloatStorage(rawValue: option.value) ?? .float32
      case Key.vectorStorage: storage.vectors = VectorStorage(rawValue: option.value) ?? .float32
      case Key.kernelCodebook: storage.kernels = KernelLimit(text: option.value) ?? .all
      case Key.percentile: storage.percentile = Double(option.value) ?? 100
      case let key where key.hasPrefix(Key.layer):
        if let layer = try? LayerStorage(text: option.value) { storage.layers.append(layer) }
      default: break
      }
    }
  }
}
