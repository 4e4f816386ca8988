/// How one of ONNX's operators becomes nodes of a graph.
struct OnnxOperator: Sendable {
  typealias Build = @Sendable (NodeBuilder) throws(ImportFault) -> Void

  /// How many inputs there may be. The first ones, as many as the lower bound, must not be left
  /// out.
  var inputs: ClosedRange<Int>
  /// The first version of the operator set in which the operator means what `build` reads.
  var since: Int64
  var build: Build

  init(_ inputs: ClosedRange<Int>, since: Int64 = 1, build: @escaping Build) {
    self.inputs = inputs
    self.since = since
    self.build = build
  }

  /// Every operator that the importer knows, by ONNX's name.
  static let all: [String: OnnxOperator] = [
    activations, arithmetic, blocks, constants, controlFlow, convolutions, einsum, indexing,
    integerProducts, logic, normalizations, pools, products, quantization, reductions, resizes,
    scaledNormalizations, selections, shapes,
  ].reduce(into: [:]) { all, family in all.merge(family) { first, _ in first } }

  /// How a node's operator is built; nil for one that the importer does not know.
  static func definition(of node: OnnxNode) -> OnnxOperator? {
    if node.domain.isEmpty { return all[node.opType] }
    return quantizerDomains.contains(node.domain) ? trainedQuantizers[node.opType] : nil
  }

  static let anyNumber = 1...Int.max
}
