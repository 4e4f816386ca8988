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
  /// The inputs for calibration are not the model's.
  case calibrationInputs(file: String, GraphError)
  /// A binarization needs real inputs; what of it does.
  case binarizationWithoutCalibration(file: String, for: String)
  /// The file that is to be reproduced was made with other inputs for calibration, or with none.
  case otherCalibration(file: String)
  /// A choice of layers to binarize matches none of those that have real weights.
  case nothingToBinarize(file: String, LayerSelection, candidates: [String])
  /// A choice of storage matches no layer.
  case noLayerToStore(file: String, LayerSelection, names: [String])
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
  var isBinarization: Bool { if case .binarized = self { true } else { false } }

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
    case .calibrationInputs(let file, let error): return "\(file): --calibration: \(error)"
    case .binarizationWithoutCalibration(let file, let reason):
      return "\(file): \(reason) needs real inputs; give them with --calibration [NAME=]FILE"
    case .otherCalibration(let file):
      return
        "\(file): the file was made with other calibration data, or with none; give the same with "
        + "--calibration [NAME=]FILE"
    case .nothingToBinarize(let file, let layers, let candidates):
      return "\(file): \(layers.text(candidates: candidates))"
    case .noLayerToStore(let file, let layers, let names):
      return "\(file): --layer '\(layers.text)' matches no layer; there are "
        + names.filter { !$0.isEmpty }.listed
    }
  }
}

extension [String] {
  /// The first names of a list.
  fileprivate var listed: String {
    prefix(12).map { "'\($0)'" }.joined(separator: ", ") + (count > 12 ? ", …" : "")
  }
}

extension LayerSelection {
  fileprivate var text: String {
    switch self {
    case .matching(let text), .named(let text): text
    }
  }

  /// Why there are no layers of it to binarize.
  fileprivate func text(candidates: [String]) -> String {
    let list = candidates.isEmpty ? "the model has none" : "there are \(candidates.listed)"
    switch self {
    case .named(let name): return "no layer '\(name)' has real weights; \(list)"
    case .matching(let pattern):
      let text = "--binarize '\(pattern)' matches no layer with real weights; \(list)"
      guard pattern.contains("=") else { return text }
      let methods = BinarizationMethod.all.map(\.description).joined(separator: ", ")
      return "\(text). If a method was meant behind '=': there are \(methods)"
    }
  }
}
