import BNNKit

/// A `.bnn` against the source that it was made from.
struct SourceCheck {
  var source: SourceModel
  var sourcePath: String
  /// How the model was made.
  var converter: Converter
  /// What the passes made of the source.
  var canonical: Graph
  /// The same before lossy choices; nil where there were none.
  var exact: Graph?
  var model: BinaryModel
  var modelPath: String
  var options: Verifier.Options

  /// - Parameters:
  ///   - inputs: by name; nil for seeded ones.
  ///   - expected: recorded outputs by name.
  func report(
    inputs: [String: Tensor]? = nil, expected: [String: Tensor] = [:]
  ) throws(CommandError) -> VerificationReport {
    let resolved: Graph
    do {
      resolved = try converter.resolveSigns(of: source)
    } catch {
      throw CommandError(error)
    }
    let verifier = Verifier(
      source: resolved, canonical: canonical, exact: exact, model: model, options: options)
    do {
      return try verifier.verify(inputs: inputs, expected: expected)
    } catch {
      throw CommandError(error, source: sourcePath, model: modelPath)
    }
  }
}

/// A report with what belongs to a document of its own.
struct VerificationDocument: Encodable {
  var schemaVersion = 1
  var source: String?
  var model: String
  var report: any Encodable

  private enum Key: CodingKey { case schemaVersion, source, model }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(schemaVersion, forKey: .schemaVersion)
    try container.encodeIfPresent(source, forKey: .source)
    try container.encode(model, forKey: .model)
    try report.encode(to: encoder)
  }
}
