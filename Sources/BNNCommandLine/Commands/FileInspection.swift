import BNNKit

/// The layers of a `.bnn`.
struct FileInspection: Inspection {
  var schemaVersion = 1
  var file: String
  var format = "bnn"
  var producer: String
  var sourceName: String
  var sourceBytes: Int
  var outputBytes: Int
  var inputs: [PortFacts]
  var outputs: [PortFacts]
  /// The layers with weights.
  var layers: [LayerReport]
  /// Every layer of the file.
  var steps: [LayerFacts]
  /// Only a conversion knows how the source wrote them.
  var signs: [ConversionReport.SignReport] = []
  var sections: [Section]
  var totals: Totals
  var passes: [String]
  var options: [String: String]

  struct Section: Encodable {
    var name: String
    var bytes: Int
  }

  struct Totals: Encodable {
    var parameters = 0
    var bitsPerWeight: Double?
    var binaryMACs = 0
    var floatMACs = 0
    /// Of the whole file.
    var bytes: Int
  }
}

extension FileInspection {
  init(_ model: BinaryModel, path: String) throws(CommandError) {
    file = path
    producer = model.provenance.producer
    sourceName = model.provenance.sourceName
    sourceBytes = Int(clamping: model.provenance.sourceBytes)
    outputBytes = try FilePath.byteCount(of: path)
    inputs = model.inputs.map { PortFacts(Port(model.values[$0])) }
    outputs = model.outputs.map { PortFacts(Port(model.values[$0])) }
    passes = model.provenance.passes
    options = Dictionary(
      model.provenance.options.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    let summary: FileSummary
    do {
      summary = try FileSummary(model)
    } catch {
      throw CommandError(error, file: path)
    }
    sections = summary.sections.map { Section(name: $0.name, bytes: $0.bytes) }
    steps = zip(model.layers, summary.layers).map { LayerFacts($0, of: model, size: $1) }
    let reasons = Dictionary(
      steps.compactMap { step in step.reason.map { (step.name, $0) } },
      uniquingKeysWith: { first, _ in first })
    layers = LayerReport.layers(of: model, summary: summary).map { layer in
      var layer = layer
      layer.reason = reasons[layer.name]
      return layer
    }
    totals = Totals(steps, fileBytes: summary.fileBytes)
  }
}

extension FileInspection.Totals {
  init(_ layers: [LayerFacts], fileBytes: Int) {
    bytes = fileBytes
    var weights = 0
    var weightBits = 0.0
    for layer in layers {
      parameters += layer.parameters
      binaryMACs += layer.binaryMACs
      floatMACs += layer.floatMACs
      weights += layer.weights
      weightBits += (layer.bitsPerWeight ?? 0) * Double(layer.weights)
    }
    if weights > 0 { bitsPerWeight = weightBits / Double(weights) }
  }
}

extension FileInspection {
  var text: String {
    var text = "\(file): .bnn, \(Formatting.grouped(outputBytes)) bytes"
    text += ", made by \(producer) from \(sourceName) (\(Formatting.grouped(sourceBytes)) bytes)\n"
    text += inputs.map { "input   \($0.text)\n" }.joined()
    text += outputs.map { "output  \($0.text)\n" }.joined()
    var table = TextTable([
      ("layer", .left), ("kind", .left), ("operation", .left), ("output", .left),
      ("parameters", .right), ("bits/weight", .right), ("binary MACs", .right),
      ("float MACs", .right), ("bytes", .right),
    ])
    for layer in steps {
      table.add([
        layer.name, layer.kind, layer.operation, layer.outputs.joined(separator: ", "),
        Formatting.grouped(layer.parameters),
        layer.bitsPerWeight.map { Formatting.fixed($0, digits: 2) } ?? "",
        Formatting.grouped(layer.binaryMACs), Formatting.grouped(layer.floatMACs),
        Formatting.grouped(layer.bytes),
      ])
    }
    table.add([
      "whole file", "", "", "", Formatting.grouped(totals.parameters),
      totals.bitsPerWeight.map { Formatting.fixed($0, digits: 2) } ?? "",
      Formatting.grouped(totals.binaryMACs), Formatting.grouped(totals.floatMACs),
      Formatting.grouped(totals.bytes),
    ])
    return text + "\n" + table.text
  }
}
