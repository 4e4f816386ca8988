import BNNFormat

/// What a verification found.
public struct VerificationReport: Hashable, Sendable, Encodable {
  public var verdict: Verdict
  /// What decided, in words; empty for a match.
  public var reasons: [String]
  /// One entry per layer of the model, in order.
  public var layers: [Layer]
  /// The source against the canonical graph, both by the reference executor.
  public var canonicalization: Comparison
  /// The source against the model, from the inputs to the outputs.
  public var endToEnd: Comparison
  /// The recorded outputs against the model, where there are some.
  public var expected: Comparison?
  /// How often a sign of the source that is 0 at 0 met a 0 (or NaN), whose bit the file chose.
  public var signZeros: Int
  /// How many entries of a batch were compared.
  public var samples: Int
  /// Whether the conversion rounded or replaced numbers for a smaller file. What the source gives end
  /// to end is reported then and decides only against a limit that the conversion was given.
  public var isLossy = false

  public enum Verdict: String, Hashable, Sendable, Encodable {
    case match, mismatch
  }

  public struct Layer: Hashable, Sendable, Encodable {
    public var name: String
    /// "binary" where the layer reads bits, "float" where it reads real values.
    public var kind: String
    public var operation: String
    /// Bits and numbers that were compared: what the file stores for the layer, and what the layer
    /// makes of the reference's inputs.
    public var compared: Int
    public var mismatches: Int
    /// Of the mismatches, those in what the file stores.
    public var storedMismatches: Int
    /// Bits that differ because the number before them lies on the threshold up to rounding.
    public var flips: Int
    /// The largest difference of real values, as a part of the reference's largest value.
    public var maximumError: Double
    /// Of a layer that the file computes in integers, which is compared with its definition: the
    /// largest difference from the source's real values, as a part of the largest of them.
    public var distance: Double?
  }

  public struct Comparison: Hashable, Sendable, Encodable {
    /// Bits of activations that differ.
    public var flips: Int
    /// The largest difference of outputs, as a part of the largest value.
    public var maximumError: Double
    /// The part of the rows whose largest output is at the same place; 1 without outputs.
    public var top1Agreement: Double
  }

  /// The first layer that differs.
  public var firstMismatch: Layer? { layers.first { $0.mismatches > 0 } }
}

extension BinaryModel {
  /// What a report calls the kind of a layer.
  func kind(of layer: BNNFormat.Layer) -> String {
    layer.inputs.first.map { values[$0].elementType } == .sign ? "binary" : "float"
  }
}

extension VerificationReport: CustomStringConvertible {
  /// A table for people, and the verdict.
  public var description: String {
    var lines = VerificationReport.table(layers)
    lines.append("")
    lines.append("source to canonical graph: \(canonicalization.summary)")
    lines.append("source to model, end to end: \(endToEnd.summary)")
    if let expected { lines.append("recorded outputs to model: \(expected.summary)") }
    if isLossy {
      lines.append(
        "the file was made with lossy choices: the source decides end to end only by --max-error")
    }
    if signZeros > 0 {
      lines.append("\(signZeros) zeros at a Sign, which the file gives a bit of its choice")
    }
    lines.append("verdict: \(verdict.rawValue)")
    lines += reasons.map { "  \($0)" }
    return lines.joined(separator: "\n")
  }

  /// One line per layer, under a header.
  static func table(_ layers: [Layer]) -> [String] {
    let hasDistances = layers.contains { $0.distance != nil }
    let header = ["layer", "kind", "operation", "compared", "mismatches", "flips", "maximum error"]
    let rows = layers.map { layer in
      [
        layer.name, layer.kind, layer.operation, "\(layer.compared)", "\(layer.mismatches)",
        "\(layer.flips)", shortened(layer.maximumError),
      ] + (hasDistances ? [layer.distance.map(shortened) ?? ""] : [])
    }
    return aligned([header + (hasDistances ? ["distance to source"] : [])] + rows)
  }

  /// Columns as wide as their widest entry; all but the first three to the right.
  private static func aligned(_ rows: [[String]]) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column < 3 ? cell + space : space + cell
      }
      return cells.joined(separator: "  ")
    }
  }
}

extension VerificationReport.Comparison {
  fileprivate var summary: String {
    "\(flips) flips, maximum error \(shortened(maximumError)), "
      + "top-1 agreement \(shortened(100 * top1Agreement)) %"
  }
}

/// A number with three significant digits, without Foundation.
package func shortened(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
  var (mantissa, exponent) = (value.magnitude, 0)
  while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
  while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
  let sign = value < 0 ? "-" : ""
  let digits = (mantissa * 100).rounded() / 100
  return (-3...3).contains(exponent)
    ? "\((value * 10_000).rounded() / 10_000)" : "\(sign)\(digits)e\(exponent)"
}
