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
  /// change. The file records a digest of them where a choice depends on them.
  public var calibration: [String: Tensor]
  /// How far outputs may move by lossy choices, as a part of the largest output on the inputs for
  /// calibration or, without those, on eight seeded ones; nil for any error. Recorded in the file.
  public var maximumError: Double?
  /// Which layers with real weights become binary, and how; the first that matches decides. Lossy;
  /// recorded in the file.
  public var binarization: [BinarizationChoice]
  /// Whether the inputs of the layers that become binary become signs too.
  public var binarizesActivations: Bool

  public init(
    signOfZero: SignOfZero = .plus, disabledPasses: [String] = [], allowsFloat: Bool = false,
    storage: StorageOptions = .init(), calibration: [String: Tensor] = [:],
    maximumError: Double? = nil, binarization: [BinarizationChoice] = [],
    binarizesActivations: Bool = false
  ) {
    self.signOfZero = signOfZero
    self.disabledPasses = disabledPasses
    self.allowsFloat = allowsFloat
    self.storage = storage
    self.calibration = calibration
    self.maximumError = maximumError
    self.binarization = binarization
    self.binarizesActivations = binarizesActivations
  }
}

extension ConversionOptions {
  /// Whether the network may compute something else than the source.
  public var isLossy: Bool { storage.isLossy || !binarization.isEmpty }

  /// What cannot be done without calibration data; nil where everything can.
  var needForCalibration: String? {
    guard !binarization.isEmpty else { return nil }
    if binarizesActivations { return "--binarize-activations" }
    return binarization.first(where: \.method.needsCalibration).map { "--binarize by \($0.method)" }
  }
}
