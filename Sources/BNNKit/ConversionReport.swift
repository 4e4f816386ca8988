/// What a conversion did, in the form that tools read.
public struct ConversionReport: Hashable, Sendable, Encodable {
  public var schemaVersion = 1
  public var source: String
  public var sourceBytes: Int
  public var outputBytes: Int
  /// How a checkpoint gave the parameters; nil where none did.
  public var checkpoint: CheckpointUse?
  public var layers: [LayerReport]
  /// What the bytes of the output are for. They add up to all of them.
  public var parts: [FileSummary.PartSize]
  /// What the output would have less if numbers were rounded; empty where it was not asked for.
  public var savings: [FileSummary.Saving]
  public var signs: [SignReport]
  public var passes: [PassSummary]
  /// One entry per layer whose real weights were made binary.
  public var binarization: [BinarizationReport]
  public var notes: [String]
  /// What lossy choices changed; nil where there were none.
  public var change: ChangeReport?

  public struct SignReport: Hashable, Sendable, Encodable {
    public var name: String
    public var spelling: String
    public var atZero: String
  }

  /// The objective of a method before and after, as parts of that of weights of 0.
  public struct BinarizationReport: Hashable, Sendable, Encodable {
    public var name: String
    public var method: String
    public var objective: String
    public var before: Double
    public var after: Double
    public var binarizedInputs: Bool
  }

  public struct PassSummary: Hashable, Sendable, Encodable {
    public var name: String
    public var rewrites: Int
  }

  /// - Parameters:
  ///   - conversion: the conversion to report on.
  ///   - summary: the sizes of the encoded file.
  ///   - savings: what roundings would save in it.
  public init(
    _ conversion: Conversion, summary: FileSummary, savings: [FileSummary.Saving] = []
  ) {
    source = conversion.sourceName
    sourceBytes = conversion.sourceBytes
    outputBytes = summary.fileBytes
    parts = summary.parts
    self.savings = savings
    checkpoint = conversion.checkpointUse
    var reasons: [String: String] = [:]
    for finding in conversion.findings {
      if let kept = finding.keptFloat { reasons[kept.node] = kept.reason }
    }
    layers = LayerReport.layers(of: conversion.model, summary: summary).map { layer in
      var layer = layer
      layer.reason = layer.kind == "float" ? reasons[layer.name] : nil
      return layer
    }
    signs = conversion.findings.compactMap { finding in
      guard case .sign(let sign) = finding else { return nil }
      return SignReport(name: sign.node, spelling: sign.spelling, atZero: sign.atZero.rawValue)
    }
    passes = conversion.passReports.map {
      PassSummary(name: $0.pass, rewrites: $0.outcome.rewrites.count)
    }
    change = conversion.change.map(ChangeReport.init)

    binarization = conversion.findings.compactMap { finding in
      guard case .binarized(let layer) = finding else { return nil }
      return BinarizationReport(
        name: layer.node, method: "\(layer.method)", objective: layer.objective.rawValue,
        before: layer.before, after: layer.after, binarizedInputs: layer.binarizedInputs)
    }
    notes =
      (checkpoint?.notes ?? []) + conversion.unreadWeights.notes + conversion.model.sharedWeights
      + conversion.findings.compactMap(\.note)
      + conversion.unquantized.map { "\($0)" }
  }
}

extension [UnreadWeights] {
  /// A sentence for people.
  fileprivate var notes: [String] {
    guard !isEmpty else { return [] }
    let names = prefix(3).map(\.name) + (count > 3 ? ["…"] : [])
    let bytes = reduce(0) { $0 + $1.bytes }
    return ["\(bytes) bytes of weights that no output depends on: \(names.joined(separator: ", "))"]
  }
}

extension BinaryModel {
  /// Layers whose weights another one has too, in sentences.
  fileprivate var sharedWeights: [String] {
    var first: [Weights: String] = [:]
    return layers.compactMap { layer in
      let weights: Weights
      switch layer.operation {
      case .binaryConvolution(_, let packed, _): weights = .signs(packed)
      case .convolution(_, let any, _): weights = any
      default: return nil
      }
      // Few small weights are equal by chance.
      guard weights.shape.count >= 64 else { return nil }
      guard let other = first[weights] else {
        first[weights] = layer.name
        return nil
      }
      return "'\(layer.name)': the same weights as '\(other)', stored once"
    }
  }
}

extension CheckpointUse {
  /// Sentences for people.
  fileprivate var notes: [String] {
    var notes: [String] = []
    let assumed = settings.filter { $0.origin != .given }.map { "\($0.name)=\($0.value)" }
    if !assumed.isEmpty { notes.append("settings not given: \(assumed.joined(separator: " "))") }
    if !prefix.isEmpty { notes.append("names of arrays begin with '\(prefix)'") }
    for (reason, arrays) in Dictionary(grouping: ignoredArrays, by: \.reason)
      .sorted(by: { $0.key < $1.key })
    {
      let names = arrays.prefix(3).map(\.name) + (arrays.count > 3 ? ["…"] : [])
      notes.append("\(arrays.count) arrays not loaded, \(reason): \(names.joined(separator: ", "))")
    }
    return notes
  }
}

extension Finding {
  /// A sentence for people; nil for what a report lists elsewhere.
  fileprivate var note: String? {
    switch self {
    case .sign, .keptFloat, .binarized, .unmatched: nil
    case .notBinarized(let node, let reason): "'\(node)': not binarized: \(reason)"
    case .removedResidue(let node, let relative):
      "'\(node)': weights differed from ±α by \(relative) relative; made exact"
    case .computedInFloat32(let type):
      "computed in float32 what the source computes in \(type.rawValue)"
    case .codebook(let node, let kernels, let count):
      "'\(node)': its \(count) kernels are \(kernels) different ones"
    case .notRounded(let node, let storage):
      "'\(node)': some of its numbers stay float32: \(storage.rawValue) cannot hold them"
    case .deadChannels(let dead):
      "'\(dead.node)': \(dead.constant) of its \(dead.channels) channels are constant; "
        + "\(dead.removed) channels that change nothing were removed"
    case .limitedKernels(let kernels):
      "'\(kernels.node)': \(kernels.after) of its \(kernels.before) kernels are left; "
        + "\(percent(kernels.changedWeights)) of the weights and "
        + "\(percent(kernels.error)) of the energy changed"
    case .reachableZeros(let node, let channels):
      "'\(node)': \(channels) channels can reach an exact zero at a plain Sign; see --sign-of-zero"
    }
  }
}

/// What lossy choices changed in the outputs, as a part of the largest output.
public struct ChangeReport: Hashable, Sendable, Encodable {
  /// `calibration` or `seeded`.
  public var inputs: String
  public var samples: Int
  public var maximumError: Double
  /// The part of the rows whose largest output is at the same place.
  public var top1Agreement: Double
  /// Where only one layer is changed.
  public var layers: [Layer]

  public struct Layer: Hashable, Sendable, Encodable {
    public var name: String
    public var maximumError: Double
    public var top1Agreement: Double
  }

  init(_ change: LossyChange) {
    inputs = change.isCalibrated ? "calibration" : "seeded"
    samples = change.samples
    maximumError = change.outputs.maximumError
    top1Agreement = change.outputs.top1Agreement
    layers = change.layers.map {
      Layer(
        name: $0.name, maximumError: $0.outputs.maximumError,
        top1Agreement: $0.outputs.top1Agreement)
    }
  }
}

/// A part in percent with two digits behind the point.
private func percent(_ part: Double) -> String {
  guard part.isFinite else { return "\(part)" }
  let hundredths = Int((min(part, 1e9) * 10_000).rounded())
  let rest = hundredths % 100
  return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) %"
}
