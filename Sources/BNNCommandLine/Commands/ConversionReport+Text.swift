import BNNKit

extension ConversionReport {
  /// What `bnnconvert` prints.
  func text(source: String, output: String?) -> String {
    var table = TextTable([
      ("layer", .left), ("kind", .left), ("bits/weight", .right), ("binary MACs", .right),
      ("float MACs", .right), ("bytes", .right), ("reason", .left),
    ])
    for row in rows { table.add(row) }
    var text = table.text
    text += "\n\(output ?? "(dry run)"): \(sizes(source: FilePath.name(of: source)))\n"
    if let change { text += change.sentence + "\n" }
    return text
  }

  /// The report as a page.
  var markdown: String {
    let name = FilePath.name(of: source)
    var text = "# Conversion of \(name)\n\n\(sizes(source: name))\n\n## Layers\n\n"
    text += "| layer | kind | bits/weight | binary MACs | float MACs | bytes | reason |\n"
    text += "|---|---|---:|---:|---:|---:|---|\n"
    for row in rows { text += ConversionReport.markdownRow(row) }
    if let change { text += change.markdown }
    if !notes.isEmpty {
      text += "\n## Notes\n\n" + notes.map { "- \($0)\n" }.joined()
    }
    guard !signs.isEmpty else { return text }
    text += "\n## Signs\n\n| sign | spelling | at zero |\n|---|---|---|\n"
    for sign in signs {
      text += ConversionReport.markdownRow([sign.name, sign.spelling, "\(sign.atZero)"])
    }
    return text
  }

  private func sizes(source: String) -> String {
    let ratio = Formatting.fixed(Double(sourceBytes) / Double(max(outputBytes, 1)), digits: 1)
    return "\(Formatting.grouped(outputBytes)) bytes, \(ratio) times smaller than \(source) "
      + "(\(Formatting.grouped(sourceBytes)) bytes)"
  }

  private var rows: [[String]] {
    layers.map { layer in
      [
        layer.name, layer.kind,
        Formatting.fixed(layer.bitsPerWeight, digits: 2),
        Formatting.grouped(layer.binaryMACs), Formatting.grouped(layer.floatMACs),
        Formatting.grouped(layer.bytes), layer.reason ?? "",
      ]
    }
  }

  static func markdownRow(_ cells: [String]) -> String {
    let escaped = cells.map { $0.split(separator: "|", omittingEmptySubsequences: false) }
    return "| " + escaped.map { $0.joined(separator: "\\|") }.joined(separator: " | ") + " |\n"
  }
}

extension ChangeReport {
  /// The change of the outputs in a sentence.
  var sentence: String {
    "lossy: outputs change by at most \(Formatting.scientific(maximumError)) of the largest on "
      + "\(samples) \(inputs) inputs, top-1 agreement "
      + "\(Formatting.fixed(100 * top1Agreement, digits: 1)) %"
  }

  fileprivate var markdown: String {
    var text = "\n## Lossy choices\n\n\(sentence)\n"
    guard !layers.isEmpty else { return text }
    text += "\n| only this layer changed | largest change | top-1 agreement |\n|---|---:|---:|\n"
    for layer in layers {
      text += ConversionReport.markdownRow([
        layer.name, Formatting.scientific(layer.maximumError),
        Formatting.fixed(100 * layer.top1Agreement, digits: 1) + " %",
      ])
    }
    return text
  }
}
