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
  /// What the file's bytes are for. They add up to all of them.
  var parts: [FileSummary.PartSize]
  /// What roundings would save.
  var savings: [FileSummary.Saving]
  var tensors: [StoredTensor]
  var totals: Totals
  var passes: [String]
  var options: [String: String]

  struct Section: Encodable {
    var name: String
    var bytes: Int
  }

  /// One tensor of the file.
  struct StoredTensor: Encodable {
    var elementType: String
    var dimensions: [Int]
    var part: FileSummary.Part
    var coding: String
    var isEntropyCoded: Bool
    var rawBytes: Int
    var bytes: Int
    var entropyPerElement: Double
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
    inputs = model.inputs.map { PortFacts(Port(model.values[$0])) }
    outputs = model.outputs.map { PortFacts(Port(model.values[$0])) }
    passes = model.provenance.passes
    options = Dictionary(
      model.provenance.options.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    let summary: FileSummary
    do {
      let bytes = try RegularFile.read(path)
      summary = try FileSummary(decoding: bytes)
      savings = try FileSummary.savings(decoding: bytes)
    } catch {
      throw CommandError(error, file: path)
    }
    outputBytes = summary.fileBytes
    parts = summary.parts
    tensors = summary.tensors.map(StoredTensor.init)
    sections = summary.sections.map { Section(name: $0.name, bytes: $0.bytes) }
    steps = model.layers.enumerated().map { index, layer in
      var facts = LayerFacts(layer, of: model)
      facts.add(summary, at: index)
      return facts
    }
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

extension FileInspection.StoredTensor {
  init(_ tensor: FileSummary.Tensor) {
    elementType = tensor.elementType.rawValue
    dimensions = tensor.dimensions
    part = tensor.part
    coding = tensor.title
    isEntropyCoded = tensor.isEntropyCoded
    rawBytes = tensor.rawBytes
    bytes = tensor.storedBytes
    entropyPerElement = tensor.entropyPerElement
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
      ("parameters", .right), ("coding", .left), ("bits/weight", .right), ("binary MACs", .right),
      ("float MACs", .right), ("bytes", .right),
    ])
    for layer in steps {
      table.add([
        layer.name, layer.kind, layer.operation, layer.outputs.joined(separator: ", "),
        Formatting.grouped(layer.parameters), layer.coding ?? "",
        layer.bitsPerWeight.map { Formatting.fixed($0, digits: 2) } ?? "",
        Formatting.grouped(layer.binaryMACs), Formatting.grouped(layer.floatMACs),
        Formatting.grouped(layer.bytes),
      ])
    }
    table.add([
      "whole file", "", "", "", Formatting.grouped(totals.parameters), "",
      totals.bitsPerWeight.map { Formatting.fixed($0, digits: 2) } ?? "",
      Formatting.grouped(totals.binaryMACs), Formatting.grouped(totals.floatMACs),
      Formatting.grouped(totals.bytes),
    ])
    return text + "\n" + table.text + "\n" + SizeTables.text(parts, savings, of: totals.bytes)
  }
}
