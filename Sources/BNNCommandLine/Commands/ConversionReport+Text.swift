import BNNKit

extension ConversionReport {
  /// What `bnnconvert` prints.
  func text(source: String, output: String?) -> String {
    var table = TextTable([
      ("layer", .left), ("kind", .left), ("coding", .left), ("bits/weight", .right),
      ("binary MACs", .right), ("float MACs", .right), ("bytes", .right), ("reason", .left),
    ])
    for layer in layers {
      table.add([
        layer.name, layer.kind, layer.coding, Formatting.fixed(layer.bitsPerWeight, digits: 2),
        Formatting.grouped(layer.binaryMACs), Formatting.grouped(layer.floatMACs),
        Formatting.grouped(layer.bytes), layer.reason ?? "",
      ])
    }
    var text = table.text
    if !binarization.isEmpty {
      var binarized = TextTable(ConversionReport.binarizationColumns)
      for row in binarizationRows { binarized.add(row) }
      text += "\n" + binarized.text
    }
    text += "\n\(output ?? "(dry run)"): \(sizes(source: FilePath.name(of: source)))\n"
    if let change { text += "lossy: \(change.sentence)\n" }
    return text
  }

  static let binarizationColumns: [(String, TextTable.Alignment)] = [
    ("binarized", .left), ("method", .left), ("objective", .left), ("before", .right),
    ("after", .right),
  ]

  /// The layers that were made binary; errors are parts of what weights of 0 would have.
  var binarizationRows: [[String]] {
    binarization.map { layer in
      [
        layer.name, layer.method + (layer.binarizedInputs ? ", inputs too" : ""),
        layer.objective, Formatting.fixed(layer.before, digits: 4),
        Formatting.fixed(layer.after, digits: 4),
      ]
    }
  }

  func sizes(source: String) -> String {
    let ratio = Formatting.fixed(Double(sourceBytes) / Double(max(outputBytes, 1)), digits: 1)
    return "\(Formatting.grouped(outputBytes)) bytes, \(ratio) times smaller than \(source) "
      + "(\(Formatting.grouped(sourceBytes)) bytes)"
  }
}

extension ChangeReport {
  /// The change of the outputs in a sentence.
  var sentence: String {
    "outputs change by at most \(Formatting.scientific(maximumError)) of the largest on "
      + "\(samples) \(inputs) inputs, top-1 agreement "
      + "\(Formatting.fixed(100 * top1Agreement, digits: 1)) %"
  }
}
