import BNNKit

/// The nodes of a source graph, as they are before any pass, and the layers that a conversion
/// makes of them.
struct GraphInspection: Inspection {
  var schemaVersion = 1
  var file: String
  var format: String
  var sourceBytes: Int
  var inputs: [PortFacts]
  var outputs: [PortFacts]
  var nodes: [NodeFacts]
  var totals: Totals
  /// The size of the `.bnn`; nil when the model cannot be converted.
  var outputBytes: Int?
  /// The layers with weights after conversion.
  var layers: [LayerReport] = []
  var signs: [ConversionReport.SignReport] = []
  /// Why the model cannot be converted.
  var problem: String?

  struct NodeFacts: Encodable {
    var name: String
    var operation: String
    var outputs: [String]
    var parameters: Int
    var bytes: Int
    var macs: Int
  }

  struct Totals: Encodable {
    var parameters = 0
    var bytes = 0
    var macs = 0
    /// How often each operator occurs.
    var operators: [String: Int] = [:]
  }

  init(_ source: SourceModel, path: String) throws(CommandError) {
    let graph = source.graph
    file = path
    format = FilePath.suffix(of: path)
    sourceBytes = try FilePath.byteCount(of: path)
    inputs = graph.inputs.map { PortFacts(Port(graph[$0])) }
    outputs = graph.outputs.map { PortFacts(Port(graph[$0])) }
    nodes = graph.nodes.map { NodeFacts($0, in: graph) }
    totals = Totals()
    for node in nodes {
      totals.macs += node.macs
      totals.operators[node.operation, default: 0] += 1
    }
    // A constant may have several users.
    let constants = graph.valueIDs.compactMap { graph[$0].constant }
    totals.parameters = constants.reduce(0) { $0 + $1.count }
    totals.bytes = constants.reduce(0) { $0 + $1.byteCount }
    addConversion(of: source)
  }

  /// That a model cannot be converted is a finding here, no error.
  private mutating func addConversion(of source: SourceModel) {
    do {
      let converter = try Converter(options: .init(allowsFloat: true))
      let conversion = try converter.convert(source)
      let report = ConversionReport(conversion, summary: try FileSummary(conversion.model))
      outputBytes = report.outputBytes
      layers = report.layers
      signs = report.signs
    } catch {
      problem = "\(error)"
    }
  }
}

extension GraphInspection.NodeFacts {
  init(_ node: Node, in graph: Graph) {
    name = node.name
    operation = node.op.definition.name
    outputs = node.outputs.map { Port(graph[$0]).typeText }
    let constants = node.inputs.compactMap { $0.flatMap { graph[$0].constant } }
    parameters = constants.reduce(0) { $0 + $1.count }
    bytes = constants.reduce(0) { $0 + $1.byteCount }
    macs = Self.multiplyAccumulates(node, in: graph)
  }

  private static func multiplyAccumulates(_ node: Node, in graph: Graph) -> Int {
    func shape(_ id: ValueID?) -> [Int]? {
      id.flatMap { graph[$0].type?.dimensions.shape(batch: 1).dimensions }
    }
    guard let x = shape(node.input(0)), let w = shape(node.input(1)),
      let y = shape(node.outputs.first)
    else { return 0 }
    func count(_ extents: some Sequence<Int>) -> Int { extents.reduce(1, *) }
    switch node.op {
    case .convolution, .binaryConvolution: return count(y) * count(w.dropFirst())
    case .transposedConvolution: return count(x) * count(w.dropFirst())
    case .gemm(let gemm): return count(y) * ((gemm.transposeA ? x.first : x.last) ?? 0)
    case .matMul: return count(y) * (x.last ?? 0)
    default: return 0
    }
  }
}

extension GraphInspection {
  var text: String {
    var text = "\(file): \(nodes.count) nodes, \(Formatting.grouped(sourceBytes)) bytes\n"
    text += inputs.map { "input   \($0.text)\n" }.joined()
    text += outputs.map { "output  \($0.text)\n" }.joined()
    var table = TextTable([
      ("node", .left), ("operation", .left), ("output", .left), ("parameters", .right),
      ("MACs", .right), ("bytes", .right),
    ])
    for node in nodes {
      table.add([
        node.name, node.operation, node.outputs.joined(separator: ", "),
        Formatting.grouped(node.parameters), Formatting.grouped(node.macs),
        Formatting.grouped(node.bytes),
      ])
    }
    table.add([
      "total", "", "", Formatting.grouped(totals.parameters), Formatting.grouped(totals.macs),
      Formatting.grouped(totals.bytes),
    ])
    return text + "\n" + table.text + "\n" + conversionText
  }

  private var conversionText: String {
    guard let outputBytes else { return "cannot be converted: \(problem ?? "")\n" }
    var table = TextTable([
      ("layer after conversion", .left), ("kind", .left), ("bits/weight", .right),
      ("binary MACs", .right), ("float MACs", .right), ("bytes", .right),
    ])
    for layer in layers {
      table.add([
        layer.name, layer.kind, Formatting.fixed(layer.bitsPerWeight, digits: 2),
        Formatting.grouped(layer.binaryMACs), Formatting.grouped(layer.floatMACs),
        Formatting.grouped(layer.bytes),
      ])
    }
    table.add([
      "whole .bnn", "", "", Formatting.grouped(layers.reduce(0) { $0 + $1.binaryMACs }),
      Formatting.grouped(layers.reduce(0) { $0 + $1.floatMACs }), Formatting.grouped(outputBytes),
    ])
    return table.text
  }
}
