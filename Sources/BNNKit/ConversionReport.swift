/// What a conversion did, in the form that tools read.
public struct ConversionReport: Hashable, Sendable, Encodable {
  public var schemaVersion = 1
  public var source: String
  public var sourceBytes: Int
  public var outputBytes: Int
  /// How a checkpoint gave the parameters; nil where none did.
  public var checkpoint: CheckpointUse?
  public var layers: [LayerReport]
  public var signs: [SignReport]
  public var passes: [PassSummary]
  public var notes: [String]

  public struct SignReport: Hashable, Sendable, Encodable {
    public var name: String
    public var spelling: String
    public var atZero: String
  }

  public struct PassSummary: Hashable, Sendable, Encodable {
    public var name: String
    public var rewrites: Int
  }

  /// - Parameters:
  ///   - conversion: the conversion to report on.
  ///   - summary: the sizes of the encoded file.
  public init(_ conversion: Conversion, summary: FileSummary) {
    source = conversion.sourceName
    sourceBytes = conversion.sourceBytes
    outputBytes = summary.fileBytes
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
    notes =
      (checkpoint?.notes ?? []) + conversion.findings.compactMap(\.note)
      + conversion.unquantized.map { "\($0)" }
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
    case .sign, .keptFloat: nil
    case .removedResidue(let node, let relative):
      "'\(node)': weights differed from ±α by \(relative) relative; made exact"
    case .computedInFloat32(let type):
      "computed in float32 what the source computes in \(type.rawValue)"
    case .codebook(let node, let kernels, let count):
      "'\(node)': its \(count) kernels are \(kernels) different ones"
    case .reachableZeros(let node, let channels):
      "'\(node)': \(channels) channels can reach an exact zero at a plain Sign; see --sign-of-zero"
    }
  }
}
