import BNNKit

/// What the bytes of a file are for, and what roundings would save, for people.
enum SizeTables {
  static func rows(_ parts: [FileSummary.PartSize], of whole: Int) -> [[String]] {
    parts.map { part in
      [part.part.title, Formatting.grouped(part.bytes), Formatting.percent(part.bytes, of: whole)]
    } + [["whole file", Formatting.grouped(whole), Formatting.percent(whole, of: whole)]]
  }

  static func rows(_ savings: [FileSummary.Saving], of whole: Int) -> [[String]] {
    savings.map { saving in
      [
        saving.rounding.title, Formatting.grouped(saving.bytes),
        Formatting.percent(saving.bytes, of: whole),
      ]
    }
  }

  static func text(
    _ parts: [FileSummary.PartSize], _ savings: [FileSummary.Saving], of whole: Int
  ) -> String {
    var table = TextTable([("bytes by kind", .left), ("bytes", .right), ("share", .right)])
    for row in rows(parts, of: whole) { table.add(row) }
    guard !savings.isEmpty else { return table.text }
    var saved = TextTable([("rounding would save", .left), ("bytes", .right), ("share", .right)])
    for row in rows(savings, of: whole) { saved.add(row) }
    return table.text + "\n" + saved.text
  }
}

extension FileSummary.Part {
  fileprivate var title: String {
    switch self {
    case .binaryWeights: "binary weights"
    case .realWeights: "real weights"
    case .int8Weights: "int8 weights"
    case .constants: "constants"
    case .vectors: "per-channel vectors"
    case .thresholds: "thresholds"
    case .integers: "integers"
    case .flags: "flags"
    case .layerRecords: "layer records"
    case .tensorTable: "tensor table"
    case .values: "values"
    case .metadata: "metadata"
    case .header: "header"
    case .otherSections: "other sections"
    case .padding: "padding"
    }
  }
}

extension FileSummary.Rounding {
  fileprivate var title: String {
    switch self {
    case .float16Weights: "real weights to float16"
    case .bfloat16Weights: "real weights to bfloat16"
    case .int8Weights: "real weights to int8"
    case .float16Vectors: "per-channel vectors to float16"
    case .kernelCodebook: "3×3 kernels to the nearest of 32"
    }
  }
}
