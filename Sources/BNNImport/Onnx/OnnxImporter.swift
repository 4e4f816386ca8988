import BNNGraph
import BNNTensor

/// Builds a graph from an ONNX file.
struct OnnxImporter {
  var path: String
  var options: ImportOptions

  /// The versions of ONNX's operators that the importer knows.
  static let operatorSets: ClosedRange<Int64> = 1...23

  func run() throws(ImportFault) -> SourceModel {
    var decoder = TensorDecoder(folder: folder(of: path))
    let (model, byteCount) = try OnnxMessages.readModel(path, decoder: &decoder)
    let graph = try OnnxImporter.graph(of: model, options: options)
    var source = SourceModel(
      graph: graph, fileName: path, byteCount: byteCount + decoder.externalByteCount,
      format: .onnx, metadata: model.metadata)
    let read = Set(graph.values.map(\.name))
    source.unreadWeights = model.graph.initializers
      .filter { $0.tensor.count > 1 && !read.contains($0.name) }
      .map { name, tensor in
        UnreadWeights(name: name, bytes: (tensor.count * tensor.elementType.bitWidth + 7) / 8)
      }
      .sorted { $0.name < $1.name }
    return source
  }

  static func graph(
    of model: OnnxModel, options: ImportOptions
  ) throws(ImportFault) -> Graph {
    let version = try operatorSet(of: model)
    let functions = FunctionTable(model.functions)
    try NodeOrder.checkNames(model.graph)
    try functions.checkOperators(model.graph.nodes)
    for output in model.graph.outputs {
      _ = try output.elementType(at: .output(name: output.name))
    }
    let assembly = GraphAssembly(
      source: model.graph, operatorSet: version, functions: functions)
    try assembly.addInputs(options, of: model.graph)
    try assembly.addInitializers(model.graph)
    try assembly.addNodes(of: model.graph)
    return try assembly.finish(model.graph)
  }

  /// The version of ONNX's own operators.
  private static func operatorSet(of model: OnnxModel) throws(ImportFault) -> Int64 {
    if let version = try operatorSet(in: model.operatorSets) { return version }
    // The field is younger than the format: the first files have version 1.
    if model.irVersion < 3 { return 1 }
    if model.graph.nodes.allSatisfy({ !$0.domain.isEmpty }) { return operatorSets.upperBound }
    throw ImportFault(.noOperatorSet)
  }

  /// The version of ONNX's own operators in a list; nil when it is not there.
  static func operatorSet(
    in list: [(domain: String, version: Int64)]
  ) throws(ImportFault) -> Int64? {
    let versions = list.filter { $0.domain.isEmpty || $0.domain == "ai.onnx" }.map(\.version)
    guard let version = versions.max() else { return nil }
    guard operatorSets.contains(version) else {
      throw ImportFault(
        .operatorSetUnsupported(version: version, newest: operatorSets.upperBound))
    }
    return version
  }
}
