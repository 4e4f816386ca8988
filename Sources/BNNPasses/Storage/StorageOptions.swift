/// What real weights of convolutions, dense layers and tables become in the file.
public enum FloatStorage: String, Hashable, Sendable, CaseIterable {
  /// The source's numbers. Exact.
  case float32
  /// Rounded to IEEE binary16. Lossy.
  case float16
  /// Rounded to bfloat16, the upper half of a float32. Lossy.
  case bfloat16
  /// Rounded to 255 multiples of one scale per output channel, and computed as real numbers. Lossy.
  case int8
  /// Weights of one byte, multiplied with inputs of one byte in integers. Lossy.
  case int8Compute = "int8-compute"
}

/// What lists with one real number per channel become: scales, biases, slopes, thresholds.
public enum VectorStorage: String, Hashable, Sendable, CaseIterable {
  /// Exact.
  case float32
  /// Rounded to IEEE binary16. Lossy.
  case float16
}

/// How many different kernels the binary weights of a layer may have.
public enum KernelLimit: Hashable, Sendable {
  /// As many as the source has. Exact.
  case all
  /// The given number, from 1 to 512. Lossy.
  case most(Int)
}

/// What a conversion may round or replace to make the file smaller; by default nothing.
public struct StorageOptions: Hashable, Sendable {
  public var weights: FloatStorage
  public var vectors: VectorStorage
  /// Of 3×3 binary convolutions.
  public var kernels: KernelLimit
  /// For ``FloatStorage/int8Compute`` with calibration: how many percent of the numbers that a layer
  /// reads its bytes stand for; as many are left out at both ends. 100 is from the smallest to the
  /// largest.
  public var percentile: Double
  /// What holds for layers of some names instead. For each subject the first entry that matches and
  /// says something of it decides.
  public var layers: [LayerStorage]

  public init(
    weights: FloatStorage = .float32, vectors: VectorStorage = .float32,
    kernels: KernelLimit = .all, percentile: Double = 100, layers: [LayerStorage] = []
  ) {
    self.weights = weights
    self.vectors = vectors
    self.kernels = kernels
    self.percentile = percentile
    self.layers = layers
  }

  public func weights(of layer: String) -> FloatStorage { choice(of: layer, \.weights) ?? weights }
  public func vectors(of layer: String) -> VectorStorage { choice(of: layer, \.vectors) ?? vectors }
  public func kernels(of layer: String) -> KernelLimit { choice(of: layer, \.kernels) ?? kernels }
  public func percentile(of layer: String) -> Double {
    choice(of: layer, \.percentile) ?? percentile
  }

  private func choice<Subject>(
    of layer: String, _ subject: KeyPath<LayerStorage, Subject?>
  ) -> Subject? {
    for entry in layers {
      if let choice = entry[keyPath: subject], entry.selection.matches(layer) { return choice }
    }
    return nil
  }

  /// What holds for a layer because of its name; nil where nothing does.
  public func choices(for layer: String) -> LayerStorage? {
    guard layers.contains(where: { $0.selection.matches(layer) }) else { return nil }
    return LayerStorage(
      selection: .named(layer), weights: choice(of: layer, \.weights),
      vectors: choice(of: layer, \.vectors), kernels: choice(of: layer, \.kernels),
      percentile: choice(of: layer, \.percentile))
  }

  /// Whether real numbers are rounded anywhere.
  public var roundsNumbers: Bool {
    weights.isRounded || vectors != .float32
      || layers.contains { $0.weights?.isRounded ?? false || $0.vectors ?? .float32 != .float32 }
  }

  /// Whether binary kernels are replaced anywhere.
  public var limitsKernels: Bool {
    kernels != .all || layers.contains { $0.kernels ?? .all != .all }
  }

  /// Whether any layer is to compute in integers.
  public var computesInIntegers: Bool {
    weights == .int8Compute || layers.contains { $0.weights == .int8Compute }
  }

  /// Whether the network may compute something else than the source.
  public var isLossy: Bool { roundsNumbers || limitsKernels || computesInIntegers }
}

/// The storage of the layers whose names match.
public struct LayerStorage: Hashable, Sendable {
  public var selection: LayerSelection
  /// nil where the entry does not say.
  public var weights: FloatStorage?
  public var vectors: VectorStorage?
  public var kernels: KernelLimit?
  public var percentile: Double?

  public init(
    selection: LayerSelection, weights: FloatStorage? = nil, vectors: VectorStorage? = nil,
    kernels: KernelLimit? = nil, percentile: Double? = nil
  ) {
    self.selection = selection
    self.weights = weights
    self.vectors = vectors
    self.kernels = kernels
    self.percentile = percentile
  }
}

extension FloatStorage {
  /// Whether the graph's numbers are rounded. Layers in integers are made from its exact ones.
  var isRounded: Bool { self != .float32 && self != .int8Compute }
}
