import BNNGraph
import BNNTensor

/// Builds a graph from an ONNX file.
struct OnnxImporter {
  var path: String
  var options: ImportOptions

  /// The versions of ONNX's operators that the importer knows. In the versions before 7, nodes
  /// that mean something else than today are refused one by one.
  static let operatorSets: ClosedRange<Int64> = 1...23

  func run() throws(ImportFault) -> SourceModel {
    var decoder = TensorDecoder(folder: folder(of: path))
    let (model, byteCount) = try OnnxMessages.readModel(path, decoder: &decoder)
    let graph = try OnnxImporter.graph(of: model, options: options)
    return SourceModel(
      graph: graph, fileName: path, byteCount: byteCount + decoder.externalByteCount,
      format: .onnx, metadata: model.metadata)
  }

  static func graph(
    of model: OnnxModel, options: ImportOptions
  ) throws(ImportFault) -> Graph {
    let version = try operatorSet(of: model)
    try NodeOrder.checkNames(model.graph)
    let order = try NodeOrder.sorted(model.graph)
    try checkOperators(model.graph.nodes)
    let assembly = GraphAssembly(source: model.graph, operatorSet: version)
    try assembly.addInputs(options, of: model.graph)
    assembly.addInitializers(model.graph)
    for index in order { try assembly.add(model.graph.nodes[index]) }
    return try assembly.finish(model.graph)
  }

  /// The version of ONNX's own operators.
  private static func operatorSet(of model: OnnxModel) throws(ImportFault) -> Int64 {
    let versions = model.operatorSets
      .filter { $0.domain.isEmpty || $0.domain == "ai.onnx" }.map(\.version)
    guard let version = versions.max() else {
      // The field is younger than the format: the first files have version 1.
      if model.irVersion < 3 { return 1 }
      if model.graph.nodes.allSatisfy({ !$0.domain.isEmpty }) { return operatorSets.upperBound }
      throw ImportFault(.noOperatorSet)
    }
    guard operatorSets.contains(version) else {
      throw ImportFault(
        .operatorSetUnsupported(version: version, newest: operatorSets.upperBound))
    }
    return version
  }

  /// Collects every operator that there is no builder for.
  private static func checkOperators(_ nodes: [OnnxNode]) throws(ImportFault) {
    var unsupported: [UnsupportedOperator] = []
    var position: [[String]: Int] = [:]
    for node in nodes where OnnxOperator.find(node.opType, domain: node.domain) == nil {
      if let index = position[[node.opType, node.domain]] {
        unsupported[index].nodes.append(node.name)
      } else {
        position[[node.opType, node.domain]] = unsupported.count
        unsupported.append(
          UnsupportedOperator(op: node.opType, domain: node.domain, nodes: [node.name]))
      }
    }
    guard unsupported.isEmpty else { throw ImportFault(.unsupportedOperators(unsupported)) }
  }
}
