extension KernelLimit: CustomStringConvertible {
  /// The kernels that 3×3 signs can make.
  public static let kernels = 1 << 9

  /// - Parameter text: `all`, or a number from 1 to 512.
  public init?(text: String) {
    if text == "all" {
      self = .all
    } else if let count = Int(text), (1...KernelLimit.kernels).contains(count) {
      self = .most(count)
    } else {
      return nil
    }
  }

  /// The largest codebook whose indices take at most so many bits per weight when they have a
  /// fixed width: 2^⌊9·bits⌋ kernels.
  ///
  /// - Parameter bits: per weight, from 0 to 1; 0.56 gives 32 kernels (5/9 = 0.556 bits).
  public init?(bitsPerWeight bits: Double) {
    guard bits >= 0, bits <= 1 else { return nil }
    self = .most(1 << Int((9 * bits).rounded(.down)))
  }

  public var description: String {
    switch self {
    case .all: "all"
    case .most(let count): "\(count)"
    }
  }
}

extension LayerStorage {
  /// Reads `REGEX=SETTING[,SETTING…]`. What follows the last `=` are the settings.
  ///
  /// - Throws: ``StorageError``.
  public init(argument: String) throws(StorageError) {
    guard let split = argument.lastIndex(of: "=") else { throw .settingsMissing(argument) }
    let selection: LayerSelection
    do {
      selection = try LayerSelection(pattern: String(argument[..<split]))
    } catch {
      throw .selection(error)
    }
    try self.init(
      selection: selection, settings: String(argument[argument.index(after: split)...]))
  }

  /// Reads `SETTING[,SETTING…]`; a setting is a storage of weights (`float16`), `vectors:` and a
  /// storage of vectors, `kernels:` and a number, or `percentile:` and a number.
  ///
  /// - Throws: ``StorageError/setting(_:of:)``.
  public init(selection: LayerSelection, settings: String) throws(StorageError) {
    self.init(selection: selection)
    for setting in settings.split(separator: ",", omittingEmptySubsequences: false) {
      guard read(String(setting)) else { throw .setting(String(setting), of: settings) }
    }
  }

  private mutating func read(_ setting: String) -> Bool {
    if let weights = FloatStorage(rawValue: setting), self.weights == nil {
      self.weights = weights
      return true
    }
    guard let colon = setting.firstIndex(of: ":") else { return false }
    let value = String(setting[setting.index(after: colon)...])
    switch setting[..<colon] {
    case "vectors" where vectors == nil:
      vectors = VectorStorage(rawValue: value)
      return vectors != nil
    case "kernels" where kernels == nil:
      kernels = KernelLimit(text: value)
      return kernels != nil
    case "percentile" where percentile == nil:
      percentile = Double(value).flatMap { StorageOptions.percentiles.contains($0) ? $0 : nil }
      return percentile != nil
    default: return false
    }
  }

  /// The settings as text.
  public var settings: String {
    var settings: [String] = []
    if let weights { settings.append(weights.rawValue) }
    if let vectors { settings.append("vectors:\(vectors.rawValue)") }
    if let kernels { settings.append("kernels:\(kernels)") }
    if let percentile { settings.append("percentile:\(percentile)") }
    return settings.joined(separator: ",")
  }
}

extension StorageOptions {
  /// The percentiles that make sense: of less than half of the numbers no range is known.
  public static let percentiles: ClosedRange<Double> = 50...100
}

/// What is wrong with a choice of storage.
public enum StorageError: Error, Hashable, Sendable {
  case selection(LayerSelectionError)
  case settingsMissing(String)
  case setting(String, of: String)
}

extension StorageError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .selection(let error): "\(error)"
    case .settingsMissing(let text):
      "'\(text)' has no settings: write REGEX=SETTING[,SETTING…]"
    case .setting(let setting, let text):
      "'\(text)': '\(setting)' is none of "
        + FloatStorage.allCases.map(\.rawValue).joined(separator: ", ")
        + ", vectors:float32, vectors:float16, kernels:1…512, kernels:all, percentile:50…100, "
        + "or it is given twice"
    }
  }
}
