import BNNKit

/// A report for people, before it takes a format.
struct ReportPage {
  var title: String
  var summary: String
  var sections: [Section] = []

  struct Section {
    var title: String
    var content: Content
  }

  enum Content {
    case table(columns: [(title: String, alignment: TextTable.Alignment)], rows: [[String]])
    case list([String])
  }
}

extension ReportPage {
  init(_ report: ConversionReport) {
    let name = FilePath.name(of: report.source)
    title = "Conversion of \(name)"
    summary = report.sizes(source: name)
    add(
      "Layers",
      [
        ("layer", .left), ("kind", .left), ("source bytes", .right), ("packed bytes", .right),
        ("coding", .left), ("bits/weight", .right), ("entropy", .right), ("binary MACs", .right),
        ("float MACs", .right), ("bytes", .right), ("reason", .left),
      ], report.layers.map(ReportPage.row))
    let size: [(String, TextTable.Alignment)] = [("bytes", .right), ("share", .right)]
    let whole = report.outputBytes
    add("Bytes by kind", [("kind", .left)] + size, SizeTables.rows(report.parts, of: whole))
    add(
      "What rounding would save", [("rounding", .left)] + size,
      SizeTables.rows(report.savings, of: whole))
    add("Binarization", ConversionReport.binarizationColumns, report.binarizationRows)
    if let change = report.change {
      sections.append(Section(title: "Lossy choices", content: .list([change.sentence])))
      add(
        "Change by one layer alone",
        [("layer", .left), ("largest change", .right), ("top-1 agreement", .right)],
        change.layers.map {
          [
            $0.name, Formatting.scientific($0.maximumError),
            Formatting.fixed(100 * $0.top1Agreement, digits: 1) + " %",
          ]
        })
    }
    if !report.notes.isEmpty {
      sections.append(Section(title: "Notes", content: .list(report.notes)))
    }
    add(
      "Signs", [("sign", .left), ("spelling", .left), ("at zero", .left)],
      report.signs.map { [$0.name, $0.spelling, $0.atZero] })
  }

  /// A table, unless it is empty.
  private mutating func add(
    _ title: String, _ columns: [(title: String, alignment: TextTable.Alignment)],
    _ rows: [[String]]
  ) {
    guard !rows.isEmpty else { return }
    sections.append(Section(title: title, content: .table(columns: columns, rows: rows)))
  }

  private static func row(_ layer: LayerReport) -> [String] {
    [
      layer.name, layer.kind, Formatting.grouped(layer.sourceBytes),
      Formatting.grouped(layer.packedBytes),
      layer.isEntropyCoded && layer.coding != "kernels"
        ? layer.coding + ", entropy-coded" : layer.coding,
      Formatting.fixed(layer.bitsPerWeight, digits: 3),
      Formatting.fixed(layer.entropyPerWeight, digits: 3),
      Formatting.grouped(layer.binaryMACs), Formatting.grouped(layer.floatMACs),
      Formatting.grouped(layer.bytes), layer.reason ?? "",
    ]
  }
}

// MARK: Formats

extension ReportPage {
  var markdown: String {
    var text = "# \(title)\n\n\(summary)\n"
    for section in sections {
      text += "\n## \(section.title)\n\n"
      switch section.content {
      case .list(let items): text += items.map { "- \($0)\n" }.joined()
      case .table(let columns, let rows):
        text += ReportPage.markdownRow(columns.map(\.title))
        text += "|" + columns.map { $0.alignment == .left ? "---|" : "---:|" }.joined() + "\n"
        for row in rows { text += ReportPage.markdownRow(row) }
      }
    }
    return text
  }

  private static func markdownRow(_ cells: [String]) -> String {
    let escaped = cells.map { $0.split(separator: "|", omittingEmptySubsequences: false) }
    return "| " + escaped.map { $0.joined(separator: "\\|") }.joined(separator: " | ") + " |\n"
  }

  /// One file that needs no other.
  var html: String {
    var text = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>\(ReportPage.escaped(title))</title>
      <style>
      body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 90em; padding: 0 1em }
      .table { overflow-x: auto }
      table { border-collapse: collapse; font-variant-numeric: tabular-nums }
      th, td { border-bottom: 1px solid #8884; padding: .25em .75em; text-align: left }
      .number { text-align: right; white-space: nowrap }
      @media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd } }
      </style>
      </head>
      <body>
      <h1>\(ReportPage.escaped(title))</h1>
      <p>\(ReportPage.escaped(summary))</p>

      """
    for section in sections {
      text += "<h2>\(ReportPage.escaped(section.title))</h2>\n"
      switch section.content {
      case .list(let items):
        text += "<ul>\n"
        for item in items { text += "<li>\(ReportPage.escaped(item))</li>\n" }
        text += "</ul>\n"
      case .table(let columns, let rows):
        let alignments = columns.map(\.alignment)
        text += "<div class=\"table\"><table>\n"
        text += ReportPage.htmlRow(columns.map(\.title), alignments, tag: "th")
        for row in rows { text += ReportPage.htmlRow(row, alignments, tag: "td") }
        text += "</table></div>\n"
      }
    }
    return text + "</body>\n</html>\n"
  }

  private static func htmlRow(
    _ cells: [String], _ alignments: [TextTable.Alignment], tag: String
  ) -> String {
    let cells = zip(cells, alignments).map { cell, alignment in
      let attribute = alignment == .right ? " class=\"number\"" : ""
      return "<\(tag)\(attribute)>\(escaped(cell))</\(tag)>"
    }
    return "<tr>" + cells.joined() + "</tr>\n"
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }
}
