/// Rows in columns that line up. Numbers are aligned to the right.
struct TextTable {
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]]

  init(_ columns: [(title: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    rows = [columns.map(\.title)]
  }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  var text: String {
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { pad(row[$0], to: widths[$0], alignments[$0]) }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }

  private func pad(_ cell: String, to width: Int, _ alignment: Alignment) -> String {
    let filler = String(repeating: " ", count: width - cell.count)
    return alignment == .left ? cell + filler : filler + cell
  }
}
